package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The sample axes of arrays")
class SampleAxesTest {

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  private SampleAxesTest array(String name, long... shape) {
    shapes.put(name, Arrays.stream(shape).boxed().toList());
    return this;
  }

  private static InputDescription input(String name, long... shape) {
    return InputDescription.of(name, ElementType.FLOAT32, Arrays.stream(shape).boxed().toList());
  }

  private SampleAxes axes(InputDescription... inputs) {
    return SampleAxes.of(shapes, List.of(), List.of(inputs), "data.npz");
  }

  @Test
  void are_the_first_ones_where_the_model_is_not_known() {
    SampleAxes axes = array("x", 16, 8).array("y", 16).axes();

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).isEmpty();
  }

  @Test
  void are_missing_from_single_values() {
    SampleAxes axes = array("s", new long[0]).array("x", 16, 8).axes();

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).containsExactly("s");
  }

  @Test
  void are_missing_from_several_values_of_any_dimensions_that_fit_as_they_are() {
    SampleAxes axes =
        array("scale", 8)
            .array("x", 16, 8)
            .array("matrix", 2, 3)
            .array("rate", 1)
            .array("s", new long[0])
            .axes(
                input("scale", 8),
                input("x", -1, 8),
                input("matrix", 2, 3),
                input("rate", 1),
                input("s"));

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).containsExactlyInAnyOrder("scale", "matrix", "rate", "s");
  }

  @Test
  void are_there_where_a_fixed_input_gets_more_rows_than_it_takes() {
    SampleAxes axes = array("x", 16, 8).array("y", 16, 3).axes(input("x", -1, 8), input("y", 1, 3));

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).isEmpty();
  }

  @Test
  void are_missing_where_an_array_fits_a_fixed_input_and_others_are_longer() {
    SampleAxes axes = array("y", 1, 3).array("x", 16, 8).axes(input("y", 1, 3), input("x", -1, 8));

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).containsExactly("y");
  }

  @Test
  void are_missing_where_an_array_has_as_many_rows_as_there_are_samples_by_chance() {
    SampleAxes axes = array("sizes", 2).array("x", 2, 8).axes(input("sizes", 2), input("x", 1, 8));

    assertThat(axes.samples()).isEqualTo(2);
    assertThat(axes.shared()).containsExactly("sizes");
  }

  @Test
  void are_told_by_labels_where_all_arrays_fit() {
    SampleAxes axes =
        array("scale", 8)
            .array("x", 4, 8)
            .array("label", 4)
            .axes(input("scale", 8), input("x", 4, 8));

    assertThat(axes.samples()).isEqualTo(4);
    assertThat(axes.shared()).containsExactly("scale");
  }

  @Test
  void are_those_of_the_longest_array_where_all_inputs_are_fixed_and_fed_whole() {
    SampleAxes axes = array("y", 1, 3).array("x", 4, 8).axes(input("y", 1, 3), input("x", 4, 8));

    assertThat(axes.samples()).isEqualTo(4);
    assertThat(axes.shared()).containsExactly("y");
  }

  @Test
  void of_an_array_called_input_are_those_of_the_only_input() {
    SampleAxes axes = array("input", 16, 8).axes(input("pixels", 1, 8));

    assertThat(axes.samples()).isEqualTo(16);
  }

  @Test
  void are_missing_where_the_configuration_says_so() {
    array("x", 16, 8).array("t", 5);

    SampleAxes axes =
        SampleAxes.of(shapes, List.of("t"), List.of(input("x", -1, 8), input("t", -1)), "data.npz");

    assertThat(axes.samples()).isEqualTo(16);
    assertThat(axes.shared()).containsExactly("t");
  }

  @Test
  void cannot_be_told_where_lengths_differ_and_inputs_take_any() {
    array("x", 16, 8).array("t", 5);

    assertThatThrownBy(() -> axes(input("x", -1, 8), input("t", -1)))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "the arrays of data.npz differ in length: 'x' has 16 samples, 't' has 5; if one of them"
                + " holds for all samples alike, name it in 'shared'");
  }

  @Test
  void cannot_be_told_of_single_values_alone() {
    assertThatThrownBy(() -> array("s", new long[0]).axes(input("s")))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "array 's' of data.npz is a single value; its first axis must count the samples");
  }

  @Test
  void cannot_be_told_of_a_label_that_is_a_single_value() {
    assertThatThrownBy(() -> array("x", 4, 8).array("label", new long[0]).axes())
        .isInstanceOf(DataException.class)
        .hasMessage(
            "array 'label' of data.npz is a single value; its first axis must count the samples");
  }
}
