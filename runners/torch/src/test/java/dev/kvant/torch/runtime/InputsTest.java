package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Inputs go by the names of forward's parameters. */
class InputsTest {

  private static final Path DIFFERENCE = Models.resource("difference.pt");

  @Test
  void the_inputs_are_the_tensors_that_forward_takes() {
    try (ModelRunner runner = Models.open(DIFFERENCE)) {
      assertThat(runner.inputs())
          .extracting(InputDescription::name)
          .containsExactly("left", "right", "offset", "scale");
    }
  }

  @Test
  void the_inputs_that_must_be_given_are_those_without_a_default() {
    try (ModelRunner runner = Models.open(DIFFERENCE)) {
      assertThat(runner.inputs())
          .filteredOn(input -> !input.optional())
          .containsExactly(InputDescription.of("left"), InputDescription.of("right"));
    }
  }

  @Test
  void tensors_are_fed_by_name_in_whatever_order_they_come() {
    assertThat(difference("right", 3, "left", 10)).isEqualTo(7);
  }

  @Test
  void an_optional_input_may_be_left_out_or_given() {
    assertThat(difference("left", 10, "right", 3, "offset", 100)).isEqualTo(107);
    assertThat(difference("left", 10, "right", 3, "offset", 1, "scale", 2)).isEqualTo(16);
  }

  @Test
  void an_optional_input_behind_one_that_is_left_out_cannot_be_given() {
    assertThatThrownBy(() -> difference("left", 10, "right", 3, "scale", 2))
        .isInstanceOf(CalibrationException.class)
        .hasMessageContaining("input 'scale' can only be given together with 'offset'");
  }

  @Test
  void a_tensor_called_input_feeds_the_only_input() {
    Tensor answer = Models.answer(Models.digits("resnet_traced.pt"), Models.scans());

    assertThat(answer.shape()).containsExactly(16L, 10L);
  }

  @Test
  void a_tensor_called_input_does_not_feed_one_of_several_inputs() {
    assertThatThrownBy(() -> difference("input", 10))
        .isInstanceOf(CalibrationException.class)
        .hasMessage(
            "the data has 'input', which is no input of the model; its inputs are 'left',"
                + " 'right', 'offset' (optional), 'scale' (optional)");
  }

  @Test
  void a_missing_input_is_named() {
    assertThatThrownBy(() -> difference("left", 10))
        .isInstanceOf(CalibrationException.class)
        .hasMessageContaining("the data lacks the input 'right'; the model's inputs are 'left', ");
  }

  @Test
  void an_unknown_input_is_named() {
    assertThatThrownBy(() -> difference("left", 10, "right", 3, "middle", 5))
        .isInstanceOf(CalibrationException.class)
        .hasMessageContaining("the data has 'middle', which is no input of the model");
  }

  @Test
  void a_shape_that_does_not_fit_is_told_with_the_input_and_what_libtorch_says() {
    Path model = Models.digits("resnet_traced.pt");

    assertThatThrownBy(() -> Models.answer(model, Tensor.ofFloats(new float[6], 2, 3)))
        .isInstanceOf(CalibrationException.class)
        .hasMessageContaining("resnet_traced.pt cannot run on 'x' float32[2, 3]: ")
        .hasMessageContaining("input")
        .hasMessageNotContaining("Traceback")
        .hasCauseInstanceOf(ai.djl.engine.EngineException.class);
  }

  @Test
  void an_element_type_that_does_not_fit_is_told_with_the_input() {
    Path model = Models.torchFormat("mixed.pt");

    assertThatThrownBy(() -> Models.answer(model, Tensor.ofFloats(new float[24], 2, 12)))
        .isInstanceOf(CalibrationException.class)
        .hasMessageContaining("cannot run on 'tokens' float32[2, 12]: ");
  }

  @Test
  void a_runner_goes_on_after_a_batch_that_did_not_fit() {
    try (ModelRunner runner = Models.open(DIFFERENCE)) {
      TensorBatch good = batch("left", 10, "right", 3);
      assertThatThrownBy(() -> runner.run(batch("left", 10)))
          .isInstanceOf(CalibrationException.class);

      assertThat(runner.run(good)).containsOnlyKeys("output");
    }
  }

  @Test
  void a_model_that_needs_a_number_is_refused() {
    assertThatThrownBy(() -> Models.open(Models.resource("counted.pt")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("input 'times' is of type int; only models that need nothing but");
  }

  @Test
  void a_model_without_forward_is_refused() {
    assertThatThrownBy(() -> Models.open(Models.resource("without_forward.pt")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("its class WithoutForward has no method 'forward'");
  }

  private static float difference(Object... inputs) {
    return Models.output(Models.run(DIFFERENCE, batch(inputs)), "output").toFloats()[0];
  }

  private static TensorBatch batch(Object... inputs) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < inputs.length; i += 2) {
      tensors.put((String) inputs[i], Tensor.ofFloats(new float[] {(int) inputs[i + 1]}, 1));
    }
    return new TensorBatch(tensors);
  }
}
