package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kvant.api.Device;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.Processor;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The archive that libtorch runs by itself. */
class RunnableArchiveTest {

  private static final Path RESNET = TestModels.digits("resnet_scripted.pt");
  private static final Map<String, Object> NATIVE = Map.of("dtype", "native");

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"int8, INT8", "fp8_e4m3fn, FLOAT8_E4M3FN", "fp8_e5m2, FLOAT8_E5M2"})
  void rounds_an_input_to_the_bit_as_modelopt_does(String dtype, QuantizedType type) {
    Path quantized =
        quantized(
            Quantization.of(RESNET)
                .rule("stem", NATIVE, Map.of("dtype", dtype))
                .option("target", "portable")
                .data(Data.constant(0.77f, 1, 1, 8, 8)));
    float[] scans = numbers(64 * 4);
    FakeQuantizer quantizer = FakeQuantizer.of(type, 0.77f);
    float[] rounded = new float[scans.length];
    for (int i = 0; i < scans.length; i++) {
      rounded[i] = quantizer.round(scans[i]);
    }

    assertThat(run(quantized, scans(scans))).isEqualTo(run(RESNET, scans(rounded)));
  }

  @ParameterizedTest
  @CsvSource({
    "int8, portable, '1.13', fake quantization",
    "fp8_e4m3fn, portable, '2.2', inputs converted to float8",
    "int8, cpu, '2.0', int8 kernels"
  })
  void what_it_requires_depends_on_what_its_code_uses(
      String dtype, String target, String version, String reason) {
    SavedModel saved =
        Quantization.of(RESNET)
            .rule("head.*", dtype)
            .option("target", target)
            .data(Data.constant(0.77f, 1, 1, 8, 8))
            .into(folder);

    assertThat(saved.report().requirements())
        .startsWith(
            new Requirement(
                "ModelOpt",
                "0.47",
                "quantized_model_modelopt.pth names the quantizers of that version"),
            Requirement.version("libtorch", version, reason + " in quantized_model_modelopt.pt"));
    assertThat(saved.report().requirements().subList(2, saved.report().requirements().size()))
        .extracting(Requirement::of, Requirement::value)
        .isEqualTo(
            target.equals("cpu")
                ? List.of(tuple("CPU", "x86-64"), tuple("VNNI", "not needed"))
                : List.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"per_tensor", "per_channel"})
  void holds_weights_that_are_rounded_as_modelopt_rounds_them(String ranges) {
    Path quantized =
        quantized(
            Quantization.of(RESNET)
                .rule("stem", Map.of("dtype", "int8"), NATIVE)
                .option("weights", ranges));
    float[] before = weight(RESNET, "stem");
    float[] after = weight(quantized, "stem");
    int rows = ranges.equals("per_channel") ? 24 : 1;
    int columns = before.length / rows;
    for (int row = 0; row < rows; row++) {
      float amax = 0;
      for (int i = 0; i < columns; i++) {
        amax = Math.max(amax, Math.abs(before[row * columns + i]));
      }
      FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, amax);
      for (int i = row * columns; i < (row + 1) * columns; i++) {
        assertThat(after[i]).isEqualTo(quantizer.round(before[i]));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"head.1, per_tensor, auto", "head.3, per_channel, false"})
  void multiplies_integers_to_what_rounding_gives(String module, String ranges, String reduce) {
    assumeTrue(reduce.equals("auto") || !Processor.ofThisProcess().addsProductsIn16Bits());
    Quantization quantization =
        Quantization.of(RESNET)
            .rule(module, "int8")
            .option("weights", ranges)
            .option("reduce_range", reduce)
            .data(Data.scans(64));
    Path cpu = quantized(quantization.option("target", "cpu"));
    float[] integers = run(cpu, scans(numbers(64 * 16)));
    assertThat(weight(cpu, module)).isEmpty();
    Path portable = quantized(quantization.option("target", "portable"));

    assertThat(difference(integers, run(portable, scans(numbers(64 * 16))))).isLessThan(1e-5);
  }

  @Test
  void gives_a_traced_module_its_own_weight_where_only_its_twin_is_native() {
    Tensor tokens = Tensor.ofLongs(new Random(3).longs(24, 0, 50).toArray(), 2, 12);
    float[] traced = run(quantizedHead("tied_traced.pt"), tokens);
    float[] scripted = run(quantizedHead("tied.pt"), tokens);

    assertThat(difference(traced, scripted)).isLessThan(1e-6);
    assertThat(difference(traced, run(TestModels.model("tied.pt"), tokens))).isGreaterThan(1e-4);
  }

  private Path quantizedHead(String model) {
    return quantized(
        Quantization.of(TestModels.model(model))
            .rule("head", "int8")
            .option("target", "portable")
            .data(Data.tokens()));
  }

  @Test
  void grows_by_the_copy_of_a_tied_weight_that_is_warned_of() {
    SavedModel saved =
        Quantization.of(TestModels.model("tied.pt"))
            .rule("head", "int8")
            .option("target", "portable")
            .data(Data.tokens())
            .into(folder);

    try (TorchModel source = TestModels.open(TestModels.model("tied.pt"));
        TorchModel artifact = TestModels.open(saved.artifacts().get(1).path())) {
      long copy = Objects.requireNonNull(source.tensors().get("head.weight")).bytes();
      long scaleOfInput = Float.BYTES;
      assertThat(artifact.tensorBytes() - source.tensorBytes()).isEqualTo(copy + scaleOfInput);
      assertThat(saved.report().warnings())
          .filteredOn(warning -> warning.kind() == QuantizationWarning.Kind.UNTIED)
          .singleElement()
          .satisfies(
              warning ->
                  assertThat(warning.message()).contains("grow by up to %d bytes".formatted(copy)));
    }
  }

  @Test
  void says_what_is_multiplied_in_floating_point_and_why() {
    SavedModel saved =
        Quantization.of(TestModels.model("mixed.pt"))
            .rule("*", "int8")
            .rule("first", "fp8_e4m3fn")
            .option("target", "cpu")
            .data(Data.tokens())
            .into(folder);

    assertThat(note(saved, "conv")).contains("int8 does not pay here");
    assertThat(note(saved, "low.linear")).contains("its weight is float16");
    assertThat(note(saved, "first")).contains("takes int8 weights and an int8 input");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt"})
  void runs_with_an_lstm_attention_shared_and_half_precision_modules_beside(String model) {
    Tensor tokens = Tensor.ofLongs(new Random(3).longs(24, 0, 50).toArray(), 2, 12);
    Path source = TestModels.model(model);

    for (String target : new String[] {"cpu", "portable"}) {
      Path quantized =
          quantized(
              Quantization.of(source)
                  .rule("*", "int8")
                  .option("target", target)
                  .option("weights", "per_channel")
                  .data(Data.tokens()));
      assertThat(difference(run(quantized, tokens), run(source, tokens))).isBetween(1e-6, 0.05);
    }
  }

  private static String note(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .map(ModuleReport::note)
        .map(note -> Objects.requireNonNull(note, module))
        .findFirst()
        .orElseThrow();
  }

  private Path quantized(Quantization quantization) {
    return quantization.into(folder.resolve("results")).artifacts().get(1).path();
  }

  private static float[] run(Path model, Tensor input) {
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(model, Device.CPU)) {
      return runner.run(TensorBatch.of(input)).values().iterator().next().toFloats();
    }
  }

  private static float[] numbers(int count) {
    var random = new Random(1);
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextFloat() * 1.2f - 0.1f;
    }
    return numbers;
  }

  private static Tensor scans(float[] numbers) {
    return Tensor.ofFloats(numbers, numbers.length / 64, 1, 8, 8);
  }

  private static float[] weight(Path file, String module) {
    try (ScriptModel model = TestModels.script(file)) {
      StoredTensor weight = model.tensor(module, "weight").orElseThrow();
      ByteBuffer bytes = ByteBuffer.allocate((int) weight.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      weight.read(0, bytes);
      float[] values = new float[(int) weight.elements()];
      bytes.flip().asFloatBuffer().get(values);
      return values;
    }
  }

  /** The largest difference, in parts of the largest magnitude. */
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
