package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models answer as they do in PyTorch. */
class AnswersTest {

  @ParameterizedTest
  @CsvSource({
    "resnet_scripted.pt, resnet_logits.bin",
    "resnet_traced.pt, resnet_logits.bin",
    "transformer_traced.pt, transformer_logits.bin"
  })
  void a_digit_classifier_gives_the_logits_that_pytorch_gave(String model, String expected) {
    assertClose(
        Models.answer(Models.digits(model), Models.scans()),
        Models.floats(expected, 16L, 10L),
        2e-4f);
  }

  @ParameterizedTest
  @CsvSource({"mixed, 2, 5", "mixed_traced, 2, 5"})
  void a_model_of_many_kinds_of_modules_gives_what_pytorch_gave(
      String name, long rows, long columns) {
    assertClose(
        Models.answer(Models.torchFormat(name + ".pt"), Models.tokens()),
        Models.floats(name + ".bin", rows, columns),
        2e-3f);
  }

  @ParameterizedTest
  @CsvSource({"tied", "tied_traced"})
  void a_model_with_tied_weights_gives_what_pytorch_gave(String name) {
    assertClose(
        Models.answer(Models.torchFormat(name + ".pt"), Models.tokens()),
        Models.floats(name + ".bin", 2L, 12L, 50L),
        2e-3f);
  }

  @Test
  void a_frozen_model_runs() {
    Path frozen = Models.torchFormat("frozen.pt");

    assertThat(Models.open(frozen).inputs()).hasSize(1);
  }

  private static void assertClose(Tensor answer, Tensor expected, float tolerance) {
    assertThat(answer.elementType()).isEqualTo(expected.elementType());
    assertThat(answer.shape()).isEqualTo(expected.shape());
    float[] values = answer.toFloats();
    float[] wanted = expected.toFloats();
    for (int i = 0; i < wanted.length; i++) {
      assertThat(values[i]).as("element %d", i).isCloseTo(wanted[i], within(tolerance));
    }
  }
}
