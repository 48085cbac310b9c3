package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import dev.kvant.torch.tensor.QuantizedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of kinds that are easily got wrong: they run, and compute what their weights say. */
class KindsTest {

  private static final Dtype INT8 = Dtype.INT8;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "weight_norm.pt",
        "spectral_norm.pt",
        "pruned.pt",
        "parametrized.pt",
        "bias_norm.pt",
        "fork.pt",
        "fork_traced.pt",
        "interface.pt",
        "standardized.pt",
        "shifted.pt",
        "linear.pt",
        "convolution.pt"
      })
  void computes_what_the_model_does_with_the_restored_weights(String model) throws IOException {
    Path source = kind(model);
    Path eightBit = quantized(source, "eight-bit");
    Path restored = quantized(Archives.withUnreadableCode(source, folder), "restored");
    Tensor input = input(model);

    assertThat(Outputs.difference(Outputs.of(eightBit, input), Outputs.of(restored, input)))
        .isLessThan(1e-5);
    assertThat(Outputs.difference(Outputs.of(restored, input), Outputs.of(source, input)))
        .isBetween(1e-6, 0.02);
  }

  @ParameterizedTest
  @CsvSource({"linear.pt, quantized_model_torchao.pt", "linear.pth, quantized_model_torchao.pth"})
  void quantizes_a_model_that_is_itself_one_layer(String model, String artifact) {
    SavedModel saved = all(kind(model), "layer");

    assertThat(saved.report().modules()).hasSize(1);
    assertThat(saved.report().modules().get(0).decision().module()).isEqualTo("(root)");
    assertThat(saved.report().modules().get(0).weights().isQuantized()).isTrue();
    try (TorchModel quantized =
        TestModels.open(folder.resolve("layer").resolve("quantized_model_torchao.pth"))) {
      assertThat(quantized.tensors()).containsOnlyKeys("weight", "bias");
      assertThat(quantized.tensors().get("weight")).isInstanceOf(QuantizedTensor.class);
    }
    assertThat(folder.resolve("layer").resolve(artifact)).exists();
  }

  @Test
  void leaves_a_weight_floating_that_changes_as_the_model_runs() {
    SavedModel saved = all(kind("decayed.pt"), "decayed");
    Path artifact = saved.artifacts().get(1).path();
    Tensor input = input("decayed.pt");

    assertThat(note(saved, "first"))
        .contains("it is changed as the model runs, by torch.mul_ in __torch__.Decayed.forward");
    List<float[]> quantized = twice(artifact, input);
    List<float[]> source = twice(kind("decayed.pt"), input);
    assertThat(Outputs.difference(quantized.get(0), source.get(0))).isBetween(1e-6, 0.02);
    assertThat(Outputs.difference(quantized.get(1), source.get(1))).isBetween(1e-6, 0.02);
    assertThat(Outputs.difference(source.get(0), source.get(1))).isGreaterThan(0.02);
  }

  @Test
  void takes_no_square_matrix_of_gpt2_for_a_linear() {
    SavedModel saved = all(kind("gpt2.pth"), "gpt2");

    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().module().matches(".*\\.c_\\w+"))
        .hasSize(4)
        .allSatisfy(
            module -> {
              assertThat(module.decision().type()).isEqualTo("Conv1D");
              assertThat(module.weights().isQuantized()).isFalse();
            });
    assertThat(saved.report().modules())
        .filteredOn(module -> module.weights().isQuantized())
        .extracting(module -> module.decision().module())
        .containsExactly("transformer.wte", "transformer.wpe", "lm_head");
  }

  private Path kind(String name) {
    return TestModels.model("kinds/" + name);
  }

  private SavedModel all(Path source, String into) {
    return Quantization.of(source)
        .all(INT8)
        .option("runtime_modules", true)
        .into(folder.resolve(into));
  }

  private Path quantized(Path source, String into) {
    return all(source, into).artifacts().get(1).path();
  }

  private static String note(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .map(ModuleReport::note)
        .map(String::valueOf)
        .findFirst()
        .orElseThrow();
  }

  private static Tensor input(String model) {
    var random = new Random(4);
    boolean isSignal = model.startsWith("convolution");
    float[] values = new float[isSignal ? 2 * 3 * 12 : 4 * 16];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return isSignal ? Tensor.ofFloats(values, 2, 3, 12) : Tensor.ofFloats(values, 4, 16);
  }

  /** What one loaded model answers to the same input, first and then. */
  private static List<float[]> twice(Path archive, Tensor input) {
    List<float[]> answers = new ArrayList<>();
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(archive, Device.CPU)) {
      for (int i = 0; i < 2; i++) {
        answers.add(runner.run(TensorBatch.of(input)).values().iterator().next().toFloats());
      }
    }
    return answers;
  }
}
