package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.TensorDescription;
import dev.kvant.runtime.FakeModel;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SyntheticBatchesTest {

  private final FakeModel model = new FakeModel();

  @Test
  void keeps_fixed_dimensions_and_gives_small_sizes_to_the_others() {
    List<TensorBatch> batches =
        batches(InputDescription.of("pixels", ElementType.FLOAT32, List.of(-1L, 3L, -1L, 16L)));

    assertThat(batches)
        .extracting(batch -> tensor(batch, "pixels").shape())
        .startsWith(List.of(2L, 3L, 8L, 16L), List.of(1L, 3L, 8L, 16L), List.of(2L, 3L, 28L, 16L));
  }

  @Test
  void tries_a_shape_without_free_dimensions_once() {
    assertThat(batches(InputDescription.of("x", ElementType.FLOAT32, List.of(4L, 2L)))).hasSize(1);
  }

  @Test
  void floating_point_values_have_mean_0_and_variance_1_in_every_type() {
    for (ElementType type :
        List.of(
            ElementType.FLOAT64, ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16)) {
      float[] values =
          tensor(batches(InputDescription.of("x", type, List.of(10_000L))).get(0), "x").toFloats();

      double mean = 0;
      double square = 0;
      for (float value : values) {
        mean += value / values.length;
        square += value * value / values.length;
      }
      assertThat(mean).as(type.label()).isBetween(-0.05, 0.05);
      assertThat(square).as(type.label()).isBetween(0.9, 1.1);
    }
  }

  @Test
  void ids_lie_within_the_largest_table_and_then_within_the_smallest() {
    table("words", 1000);
    table("kinds", 3);

    List<TensorBatch> batches =
        batches(InputDescription.of("input_ids", ElementType.INT64, List.of(1L, 500L)));

    assertThat(batches).hasSize(2);
    List<Long> ids = Arrays.stream(tensor(batches.get(0), "input_ids").toLongs()).boxed().toList();
    assertThat(ids).allMatch(id -> id >= 0 && id < 1000).anyMatch(id -> id > 900);
    assertThat(tensor(batches.get(1), "input_ids").toLongs()).containsOnly(0, 1, 2);
  }

  @Test
  void ids_that_may_be_too_large_are_tried_on_the_processor_alone() {
    table("words", 1000);
    table("kinds", 3);

    List<TensorBatch> batches =
        SyntheticBatches.of(
            List.of(InputDescription.of("input_ids", ElementType.INT64, List.of(1L, 500L))),
            model.modules(),
            Device.of("cuda"));

    assertThat(batches).hasSize(1);
    assertThat(tensor(batches.get(0), "input_ids").toLongs()).containsOnly(0, 1, 2);
  }

  @Test
  void names_tell_masks_kinds_and_positions() {
    table("words", 1000);
    table("kinds", 2);

    TensorBatch batch =
        batches(
                InputDescription.of("attention_mask", ElementType.INT64, List.of(1L, 4L)),
                InputDescription.of("token_type_ids", ElementType.INT32, List.of(1L, 64L)),
                InputDescription.of("position_ids", ElementType.INT64, List.of(1L, 4L)),
                InputDescription.of("causal", ElementType.BOOL, List.of(2L)))
            .get(0);

    assertThat(tensor(batch, "attention_mask").toLongs()).containsExactly(1, 1, 1, 1);
    assertThat(tensor(batch, "token_type_ids").toLongs()).containsOnly(0, 1);
    assertThat(tensor(batch, "position_ids").toLongs()).containsExactly(0, 1, 0, 1);
    assertThat(tensor(batch, "causal").toLongs()).containsExactly(1, 1);
  }

  @Test
  void the_first_modules_tell_what_an_archive_does_not_state() {
    table("words", 100);
    assertThat(first(InputDescription.of("ids"), InputDescription.of("mask")))
        .satisfies(batch -> assertThat(tensor(batch, "ids").shape()).containsExactly(2L, 8L))
        .satisfies(
            batch -> assertThat(tensor(batch, "ids").elementType()).isEqualTo(ElementType.INT64))
        .satisfies(batch -> assertThat(tensor(batch, "mask").toLongs()).containsOnly(1));

    assertThat(tensor(first("Linear", 5, 7), "x").shape()).containsExactly(2L, 7L);
    assertThat(tensor(first("Conv2d", 5, 3, 1, 1), "x").shape()).containsExactly(2L, 3L, 8L, 8L);
  }

  @Test
  void nothing_is_made_up_without_any_hint_or_too_large() {
    assertThat(batches(InputDescription.of("x"))).isEmpty();
    assertThat(batches()).isEmpty();
    assertThat(batches(InputDescription.of("x", ElementType.FLOAT32, List.of(1L << 40, 1L << 40))))
        .isEmpty();
  }

  @Test
  void the_same_values_are_made_up_in_every_run() {
    InputDescription input = InputDescription.of("x", ElementType.FLOAT32, List.of(8L));

    assertThat(tensor(first(input), "x").toFloats())
        .containsExactly(tensor(first(input), "x").toFloats());
  }

  private void table(String name, long rows) {
    model.with(name, "Embedding", weight(rows, 4));
  }

  private TensorBatch first(InputDescription... inputs) {
    return batches(inputs).get(0);
  }

  private static TensorBatch first(String type, long... weight) {
    return SyntheticBatches.of(
            List.of(InputDescription.of("x")),
            new FakeModel().with("first", type, weight(weight)).modules(),
            Device.CPU)
        .get(0);
  }

  private List<TensorBatch> batches(InputDescription... inputs) {
    return SyntheticBatches.of(List.of(inputs), model.modules(), Device.CPU);
  }

  private static TensorDescription weight(long... shape) {
    return new TensorDescription(
        "weight", ElementType.FLOAT32, Arrays.stream(shape).boxed().toList(), "storage");
  }

  private static Tensor tensor(TensorBatch batch, String name) {
    return Objects.requireNonNull(batch.inputs().get(name));
  }
}
