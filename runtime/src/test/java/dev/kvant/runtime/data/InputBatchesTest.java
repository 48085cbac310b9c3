package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.SampleBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Batches")
class InputBatchesTest {

  private static final int FALLBACK = 3;

  private final List<String> remarks = new ArrayList<>();

  /** Samples [first], [first + 1] and so on. */
  private static Tensor samples(int first, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = first + i;
    }
    return Tensor.ofFloats(values, count, 1);
  }

  private static SampleBlock block(int first, int count) {
    return SampleBlock.of(Map.of("x", samples(first, count)));
  }

  private static InputDescription input(String name, long... shape) {
    return InputDescription.of(name, ElementType.FLOAT32, Arrays.stream(shape).boxed().toList());
  }

  private List<InputBatch> all(
      ListReader reader, @Nullable Integer wanted, InputDescription... inputs) {
    List<InputBatch> all = new ArrayList<>();
    try (InputBatches batches =
        new InputBatches(
            Path.of("data"), reader, List.of(inputs), wanted, FALLBACK, remarks::add)) {
      for (var next = batches.next(); next.isPresent(); next = batches.next()) {
        all.add(next.get());
      }
    }
    return all;
  }

  private static float[] values(InputBatch batch, String name) {
    return tensor(batch, name).toFloats();
  }

  private static Tensor tensor(InputBatch batch, String name) {
    return Objects.requireNonNull(batch.inputs().inputs().get(name));
  }

  @Test
  void have_the_size_that_is_configured_across_what_the_reader_gives() {
    List<InputBatch> batches = all(new ListReader(block(0, 3), block(3, 1), block(4, 6)), 4);

    assertThat(batches).extracting(InputBatch::samples).containsExactly(4, 4, 2);
    assertThat(batches).extracting(InputBatch::rows).containsExactly(4, 4, 2);
    assertThat(values(batches.get(1), "x")).containsExactly(4, 5, 6, 7);
    assertThat(remarks).isEmpty();
  }

  @Test
  void have_a_size_of_their_own_where_neither_configuration_nor_model_has_one() {
    assertThat(all(new ListReader(block(0, 7)), null, input("x", -1, 1)))
        .extracting(InputBatch::samples)
        .containsExactly(3, 3, 1);
  }

  @Test
  void have_the_size_of_the_model_whose_last_batch_is_filled_with_repeats() {
    List<InputBatch> batches = all(new ListReader(block(0, 10)), null, input("x", 4, 1));

    assertThat(batches).extracting(InputBatch::samples).containsExactly(4, 4, 2);
    assertThat(batches).extracting(InputBatch::rows).containsExactly(4, 4, 4);
    assertThat(values(batches.get(2), "x")).containsExactly(8, 9, 8, 9);
    assertThat(remarks).isEmpty();
  }

  @Test
  void larger_than_the_whole_data_are_filled_with_repeats() {
    List<InputBatch> batches = all(new ListReader(block(0, 2)), null, input("x", 5, 1));

    assertThat(batches).singleElement().extracting(InputBatch::samples).isEqualTo(2);
    assertThat(values(batches.get(0), "x")).containsExactly(0, 1, 0, 1, 0);
  }

  @Test
  void say_once_that_the_model_decides_their_size() {
    assertThat(all(new ListReader(block(0, 5)), 2, input("x", 1, 1))).hasSize(5);
    assertThat(remarks).containsExactly("batch_size 2 is not used: the model takes 1 at once");
  }

  @Test
  void have_the_fixed_size_of_any_input_that_is_fed_sample_by_sample() {
    SampleBlock both = SampleBlock.of(Map.of("x", samples(0, 4), "y", samples(10, 4)));

    List<InputBatch> batches = all(new ListReader(both), 4, input("x", -1, 1), input("y", 1, 1));

    assertThat(batches).hasSize(4);
    assertThat(values(batches.get(3), "x")).containsExactly(3);
    assertThat(values(batches.get(3), "y")).containsExactly(13);
  }

  @Test
  void cannot_have_two_fixed_sizes() {
    SampleBlock both = SampleBlock.of(Map.of("x", samples(0, 4), "y", samples(0, 4)));

    assertThatThrownBy(() -> all(new ListReader(both), null, input("x", 2, 1), input("y", 1, 1)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("do not take the same number of samples at once")
        .hasMessageContaining("'x' float32[2, 1]")
        .hasMessageContaining("'y' float32[1, 1]");
  }

  @Test
  void cannot_be_made_for_an_input_that_takes_no_samples() {
    assertThatThrownBy(() -> all(new ListReader(block(0, 4)), null, input("x", 0, 1)))
        .isInstanceOf(DataException.class)
        .hasMessage("the input 'x' float32[0, 1] takes no samples");
  }

  @Test
  void are_single_samples_without_their_axis_where_an_input_has_none() {
    List<InputBatch> batches = all(new ListReader(block(0, 3)), null, input("x", 1));

    // One dimension of size 1 with one of size 1 inside: the data has one dimension more.
    assertThat(batches).hasSize(3);
    assertThat(tensor(batches.get(2), "x").shape()).containsExactly(1L);
    assertThat(values(batches.get(2), "x")).containsExactly(2);
  }

  @Test
  void give_shared_values_to_every_run() {
    SampleBlock block =
        new SampleBlock(
            4,
            Map.of("x", samples(0, 4)),
            Map.of("s", Tensor.ofFloats(new float[] {2}), "t", samples(7, 2)));

    List<InputBatch> batches =
        all(new ListReader(block), null, input("x", 3, 1), input("s"), input("t", 2, 1));

    assertThat(batches).hasSize(2);
    for (InputBatch batch : batches) {
      assertThat(tensor(batch, "s").shape()).isEmpty();
      assertThat(values(batch, "s")).containsExactly(2);
      assertThat(values(batch, "t")).containsExactly(7, 8);
    }
  }

  @Test
  void end_where_shared_values_change() {
    SampleBlock one = new SampleBlock(2, Map.of("x", samples(0, 2)), Map.of("s", samples(1, 1)));
    SampleBlock same = new SampleBlock(1, Map.of("x", samples(2, 1)), Map.of("s", samples(1, 1)));
    SampleBlock other = new SampleBlock(2, Map.of("x", samples(3, 2)), Map.of("s", samples(5, 1)));

    assertThat(all(new ListReader(one, same, other), 8))
        .extracting(InputBatch::samples)
        .containsExactly(3, 2);
  }

  @Test
  void end_where_samples_of_another_shape_begin_and_are_filled_if_the_model_wants_that() {
    SampleBlock wide = SampleBlock.of(Map.of("x", Tensor.ofFloats(new float[] {7, 8}, 1, 2)));
    ListReader reader = new ListReader(block(0, 3), wide, block(3, 1));

    List<InputBatch> batches = all(reader, null, input("x", 2, -1));

    assertThat(batches).extracting(InputBatch::samples).containsExactly(2, 1, 1, 1);
    assertThat(values(batches.get(1), "x")).containsExactly(2, 2);
    assertThat(values(batches.get(2), "x")).containsExactly(7, 8, 7, 8);
  }

  @Test
  void keep_the_labels_of_their_samples_and_of_no_repeats() {
    SampleBlock block =
        SampleBlock.of(
            Map.of("x", samples(0, 5), "label", Tensor.ofLongs(new long[] {4, 3, 2, 1, 0}, 5)));

    List<InputBatch> batches = all(new ListReader(block), null, input("x", 4, 1));

    assertThat(batches.get(0).inputs().inputs()).containsOnlyKeys("x");
    assertThat(Objects.requireNonNull(batches.get(1).label()).toLongs()).containsExactly(0);
    assertThat(batches.get(1).rows()).isEqualTo(4);
  }

  @Test
  void close_the_reader_once() {
    ListReader reader = new ListReader(block(0, 1));
    InputBatches batches =
        new InputBatches(Path.of("data"), reader, List.of(), null, FALLBACK, remarks::add);

    batches.close();
    batches.close();

    assertThat(reader.closed()).isEqualTo(1);
  }
}
