package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Outputs have names. */
class OutputsTest {

  private static final Tensor INPUT = Tensor.ofFloats(new float[] {5}, 1);

  @Test
  void tensors_in_tuples_and_lists_are_numbered_and_None_keeps_its_place() {
    assertThat(firstValues("several.pt"))
        .containsExactly(
            Map.entry("output", 5f),
            Map.entry("output1", 10f),
            Map.entry("output2", 15f),
            Map.entry("output4", 6f));
  }

  @Test
  void tensors_in_a_dict_are_called_by_its_keys() {
    assertThat(firstValues("named.pt"))
        .containsExactly(Map.entry("hidden", 5f), Map.entry("logits", 10f));
  }

  @Test
  void tensors_in_a_dict_among_others_are_called_by_their_key_and_number() {
    assertThat(firstValues("named_among_others.pt"))
        .containsExactly(
            Map.entry("output", 5f), Map.entry("states", 10f), Map.entry("states1", 15f));
  }

  @Test
  void a_dict_without_names_is_refused_with_its_type() {
    assertThatThrownBy(() -> firstValues("numbered.pt"))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining(
            "numbered.pt returns an output that cannot be read (Dict(int, Tensor)): ");
  }

  @Test
  void what_is_no_tensor_is_named_with_its_type() {
    assertThatThrownBy(() -> firstValues("text.pt"))
        .isInstanceOf(KvantException.class)
        .hasMessage("output 'output' is of type str; only tensors can be read");
  }

  @Test
  void elements_come_row_by_row_however_they_lie_in_memory() {
    Tensor answer =
        Models.answer(
            Models.resource("transposed.pt"),
            Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));

    assertThat(answer.shape()).containsExactly(3L, 2L);
    assertThat(answer.toFloats()).containsExactly(1, 4, 2, 5, 3, 6);
  }

  @Test
  void the_model_is_in_evaluation_mode_and_without_gradients_though_saved_in_training() {
    Map<String, Tensor> answer =
        Models.run(
            Models.resource("modes.pt"),
            TensorBatch.of(Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 8)));

    assertThat(Models.output(answer, "output").toLongs())
        .as("training, gradients")
        .containsExactly(0, 0);
    assertThat(Models.output(answer, "output1").toFloats()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
  }

  private static Map<String, Float> firstValues(String model) {
    Map<String, Float> values = new LinkedHashMap<>();
    Models.run(Models.resource(model), TensorBatch.of(INPUT))
        .forEach((name, tensor) -> values.put(name, tensor.toFloats()[0]));
    return values;
  }
}
