package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.spi.ModelRunner;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of kinds that are easily got wrong: they run, and compute what their weights say. */
class KindsTest {

  private static final Map<String, Object> INT8 = Map.of("dtype", "int8");
  private static final Map<String, Object> NATIVE = Map.of("dtype", "native");

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "weight_norm.pt, second",
    "spectral_norm.pt, second",
    "pruned.pt, second",
    "parametrized.pt, second.second",
    "bias_norm.pt, first",
    "fork.pt, first",
    "fork.pt, second",
    "fork_traced.pt, last",
    "interface.pt, first",
    "standardized.pt, first",
    "shifted.pt, first",
    "linear.pt, (root)",
    "convolution.pt, (root)"
  })
  void computes_what_the_model_does_with_a_rounded_weight(String model, String module) {
    Path quantized =
        Quantization.of(kind(model))
            .rule(module, INT8, NATIVE)
            .option("target", "portable")
            .data(data(model))
            .into(folder.resolve("results"))
            .artifacts()
            .get(1)
            .path();

    assertThat(run(quantized, input(model)))
        .isEqualTo(run(withRoundedWeight(kind(model), module), input(model)));
  }

  @ParameterizedTest
  @CsvSource({
    "weight_norm.pt, portable",
    "weight_norm.pt, cpu",
    "spectral_norm.pt, portable",
    "pruned.pt, cpu",
    "parametrized.pt, portable",
    "bias_norm.pt, cpu",
    "fork.pt, portable",
    "fork.pt, cpu",
    "fork_traced.pt, cpu",
    "interface.pt, portable",
    "interface.pt, cpu",
    "standardized.pt, portable",
    "standardized.pt, cpu",
    "shifted.pt, cpu",
    "linear.pt, portable",
    "linear.pt, cpu",
    "convolution.pt, portable"
  })
  void runs_with_all_of_it_quantized_and_stays_near(String model, String target) {
    SavedModel saved = all(model, target);

    assertThat(
            difference(
                run(saved.artifacts().get(1).path(), input(model)), run(kind(model), input(model))))
        .isBetween(1e-4, 0.05);
  }

  @Test
  void says_of_every_module_that_computes_its_weight_what_to_do() {
    SavedModel saved = all("parametrized.pt", "portable");

    for (String module : List.of("first", "second.first")) {
      assertThat(report(saved, module).decision().weights().reason())
          .contains("call torch.nn.utils.parametrize.remove_parametrizations(module, 'weight')");
    }
    assertThat(report(saved, "second.second").weights().isQuantized()).isTrue();
  }

  @Test
  void multiplies_integers_only_with_the_bias_that_the_module_adds() {
    assertThat(report(all("shifted.pt", "cpu"), "first").note())
        .contains("its code has no product that could be replaced");
    assertThat(report(all("bias_norm.pt", "cpu"), "first").note())
        .contains("its code has no product that could be replaced");
    assertThat(report(all("linear.pt", "cpu"), "(root)").note()).isNull();
  }

  @Test
  void leaves_activations_that_nothing_can_observe_with_the_reason() {
    assertThat(report(all("interface.pt", "portable"), "first").note())
        .isEqualTo(
            "its activations stay native: it is called by way of an interface, which hides its"
                + " attributes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"packed.pt", "packed_in_part.pt", "fake_quantized.pt"})
  void refuses_what_torch_has_quantized(String model) {
    assertThatThrownBy(() -> all(model, "portable"))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("is quantized already, by torch.ao.quantization");
  }

  private SavedModel all(String model, String target) {
    return Quantization.of(kind(model))
        .rule("*", INT8, INT8)
        .option("target", target)
        .data(data(model))
        .into(folder.resolve("results"));
  }

  private static Path kind(String name) {
    return TestModels.model("kinds/" + name);
  }

  private static ModuleReport report(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .findFirst()
        .orElseThrow();
  }

  private static CalibrationDataset data(String model) {
    return CalibrationDataset.of(List.of(TensorBatch.of(input(model))));
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

  private static float[] run(Path model, Tensor input) {
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(model, Device.CPU)) {
      return runner.run(TensorBatch.of(input)).values().iterator().next().toFloats();
    }
  }

  /** A copy of an archive with the values that a weight's codes stand for, one range for all. */
  private Path withRoundedWeight(Path archive, String module) {
    return Archives.changed(
        archive,
        folder.resolve("rounded.pt"),
        rewriter -> {
          try (ScriptModel model = TestModels.script(archive)) {
            StoredTensor weight = model.tensor(module, "weight").orElseThrow();
            ByteBuffer bytes =
                ByteBuffer.allocate((int) weight.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            weight.read(0, bytes);
            bytes.flip();
            float amax = 0;
            for (int i = 0; i < bytes.limit(); i += Float.BYTES) {
              amax = Math.max(amax, Math.abs(bytes.getFloat(i)));
            }
            FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, amax);
            for (int i = 0; i < bytes.limit(); i += Float.BYTES) {
              bytes.putFloat(i, quantizer.round(bytes.getFloat(i)));
            }
            String storage =
                rewriter
                    .storages()
                    .add(weight.bytes(), channel -> channel.write(bytes.duplicate()));
            rewriter
                .tree()
                .module(module)
                .orElseThrow()
                .attributes()
                .put(
                    "weight",
                    TensorPickler.forScript()
                        .node(TensorNode.contiguous(ElementType.FLOAT32, storage, weight.shape())));
          }
        });
  }

  private static double difference(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isFinite();
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    }
    return difference / largest;
  }
}
