package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.numerics.CodePairs;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.tck.StoredValues;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.QuantizedTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("With dynamic_ptq")
class DynamicTest {

  private static final int OUTPUTS = 24;
  private static final int INPUTS = 50;

  @TempDir Path folder;

  /**
   * Multiples of a quarter from -100 to 155 of them: the scale is a quarter, the zero point 100.
   */
  private static float[] inputs(int rows) {
    var random = new Random(5);
    float[] input = new float[rows * INPUTS];
    for (int i = 0; i < input.length; i++) {
      input[i] = (random.nextInt(256) - 100) / 4f;
    }
    input[3] = -25;
    input[8] = 38.75f;
    return input;
  }

  private static float[] weights() {
    var random = new Random(4);
    float[] weight = new float[OUTPUTS * INPUTS];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    return weight;
  }

  /** Neighbours whose products add up within 16 bits, on processors without VNNI too. */
  private static float[] weightsOfUnlikeSigns() {
    float[] weights = weights();
    for (int row = 0; row < OUTPUTS; row++) {
      for (int column = 1; column < INPUTS; column += 2) {
        int at = row * INPUTS + column;
        weights[at] = -Math.copySign(weights[at], weights[at - 1]);
      }
    }
    return weights;
  }

  @Test
  void a_linear_multiplies_the_codes_of_its_input_by_those_of_its_weight() throws IOException {
    Path source = Archives.linear(folder, weightsOfUnlikeSigns(), OUTPUTS, INPUTS);
    Quantization.of(source).all(Dtype.INT8).dynamic().option("reduce_range", "false").into(folder);
    float[] input = inputs(3);

    float[] actual = Outputs.of(runnable(), Tensor.ofFloats(input, 3, INPUTS));

    byte[] codes;
    float[] scales = new float[OUTPUTS];
    try (TorchModel checkpoint = TestModels.open(folder.resolve(TorchaoBackend.CHECKPOINT))) {
      var weight = (QuantizedTensor) TestModels.tensor(checkpoint, "fc.weight");
      codes = TestModels.bytes(weight.codes());
      ByteBuffer.wrap(TestModels.bytes(weight.scales()))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(scales);
    }
    assertThat(codes(runnable(), "fc")).isEqualTo(codes);
    for (int i = 0; i < actual.length; i++) {
      long sum = 0;
      for (int k = 0; k < INPUTS; k++) {
        sum += Math.round(input[i / OUTPUTS * INPUTS + k] * 4) * codes[i % OUTPUTS * INPUTS + k];
      }
      double expected = sum * 0.25 * scales[i % OUTPUTS];
      assertThat((double) actual[i]).isCloseTo(expected, offset(1e-6 * Math.abs(expected) + 1e-6));
    }
  }

  @Test
  void no_pair_of_products_overflows_in_16_bits_by_default() throws IOException {
    Path source = Archives.linear(folder, weights(), OUTPUTS, INPUTS);
    Path all = folder.resolve("all");
    Quantization.of(source).all(Dtype.INT8).dynamic().option("reduce_range", "false").into(all);
    Quantization.of(source).all(Dtype.INT8).dynamic().into(folder);

    assertThat(overflowing(codes(all.resolve(TorchaoBackend.RUNNABLE), "fc"))).isPositive();
    assertThat(overflowing(codes(runnable(), "fc"))).isZero();
    float[] input = inputs(3);
    assertThat(
            Outputs.difference(
                Outputs.of(runnable(), Tensor.ofFloats(input, 3, INPUTS)),
                Outputs.of(source, Tensor.ofFloats(input, 3, INPUTS))))
        .isLessThan(0.01)
        .isGreaterThan(0);
  }

  private static int overflowing(byte[] codes) {
    int count = 0;
    for (int row = 0; row < OUTPUTS; row++) {
      for (int column = 0; column + 1 < INPUTS; column += 2) {
        int at = row * INPUTS + column;
        if (CodePairs.overflow(codes[at], codes[at + 1])) {
          count++;
        }
      }
    }
    return count;
  }

  @ParameterizedTest
  @CsvSource({
    "resnet_scripted.pt,0.02",
    "resnet_traced.pt,0.02",
    "transformer_traced.pt,0.03",
    "mixed.pt,0.04",
    "mixed_traced.pt,0.04",
    "tied.pt,0.03",
    "tied_traced.pt,0.03"
  })
  void models_compute_nearly_what_they_did(String model, double tolerance) {
    Path source =
        model.startsWith("resnet") || model.startsWith("transformer")
            ? TestModels.digits(model)
            : TestModels.model(model);
    SavedModel saved = Quantization.of(source).all(Dtype.INT8).dynamic().into(folder);

    assertThat(Outputs.difference(Outputs.of(runnable(), model), Outputs.of(source, model)))
        .isLessThan(tolerance)
        .isGreaterThan(0);
    assertThat(saved.report().modules()).anyMatch(module -> module.activations().isQuantized());
  }

  @Test
  void the_file_has_a_quarter_of_the_bytes_of_its_weights() throws IOException {
    float[] weight = new float[512 * 512];
    var random = new Random(6);
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    Path source = Archives.linear(folder, weight, 512, 512);

    SavedModel saved = Quantization.of(source).all(Dtype.INT8).dynamic().into(folder);

    int others = 16 * 1024;
    assertThat(Files.size(runnable())).isLessThan(weight.length + others);
    assertThat(report(saved, "fc").bytesAfter()).isLessThan(weight.length + others);
  }

  @Test
  void two_runs_write_the_same_bytes() throws IOException {
    Path source = TestModels.digits("transformer_traced.pt");
    Path one = folder.resolve("one");
    Path other = folder.resolve("other");
    Quantization.of(source).all(Dtype.INT8).dynamic().threads(1).into(one);
    Quantization.of(source).all(Dtype.INT8).dynamic().threads(2).into(other);

    for (String artifact : new String[] {TorchaoBackend.RUNNABLE, TorchaoBackend.CHECKPOINT}) {
      assertThat(Files.mismatch(one.resolve(artifact), other.resolve(artifact)))
          .as(artifact)
          .isEqualTo(-1);
    }
  }

  @Test
  void the_report_says_what_each_module_does() {
    SavedModel saved =
        Quantization.of(TestModels.model("mixed.pt"))
            .all(Dtype.INT8)
            .dynamic()
            .option("runtime_modules", true)
            .into(folder);

    assertThat(report(saved, "stack.0").activations())
        .isEqualTo(OperandOutcome.quantized(Dtype.INT8, null, null));
    assertThat(report(saved, "embedding").weights().dtype()).isEqualTo(Dtype.INT8);
    assertThat(report(saved, "embedding").activations().reason())
        .isEqualTo("the input of an Embedding is indices");
    assertThat(report(saved, "conv").activations().reason())
        .isEqualTo("dynamic_ptq quantizes inputs of Linear, not of Conv2d");
    assertThat(report(saved, "low.linear").decision().activations().nativeIn())
        .containsOnlyKeys(TorchaoBackend.RUNNABLE);
    assertThat(saved.report().warnings())
        .anyMatch(warning -> warning.message().contains("one scale for a whole batch"));
  }

  @Test
  void the_report_tells_the_error_of_both_artifacts() {
    SavedModel saved =
        Quantization.of(TestModels.digits("transformer_traced.pt"))
            .all(Dtype.INT8)
            .dynamic()
            .into(folder);

    float[] weight = floats(TestModels.digits("transformer_traced.pt"), "head.weight");
    ModuleReport head = report(saved, "head");
    double ofCheckpoint =
        QuantizationError.between(
                weight, floats(folder.resolve(TorchaoBackend.CHECKPOINT), "head.weight"))
            .sqnrDecibels();
    double ofArchive =
        QuantizationError.between(
                weight, PackedWeights.find(runnable(), "head").orElseThrow().restored())
            .sqnrDecibels();
    assertThat(Objects.requireNonNull(head.weights().sqnrDecibels()))
        .isCloseTo(ofCheckpoint, offset(1e-6));
    assertThat(ofArchive).isLessThan(ofCheckpoint);
    assertThat(head.note())
        .isEqualTo(
            "its weight has %.1f dB in quantized_model_torchao.pt, for products that cannot"
                + " overflow without VNNI",
            ofArchive);
  }

  private static float[] floats(Path file, String tensor) {
    try (TorchModel model = TestModels.open(file)) {
      return StoredValues.floats(TestModels.tensor(model, tensor));
    }
  }

  @ParameterizedTest
  @CsvSource({"auto,CPU", "false,'CPU,VNNI'"})
  void the_report_says_what_the_archive_requires(String range, String required) {
    SavedModel saved =
        Quantization.of(TestModels.digits("transformer_traced.pt"))
            .all(Dtype.INT8)
            .dynamic()
            .option("reduce_range", range)
            .into(folder);

    assertThat(saved.report().requirements())
        .extracting(Requirement::of)
        .containsAll(List.of(required.split(",")))
        .hasSize(2 + required.split(",").length);
  }

  @ParameterizedTest
  @ValueSource(strings = {"packed", "weights", "native"})
  void modules_of_one_class_may_differ(String second) throws IOException {
    Path source = Archives.twoLinears(folder, weights(), OUTPUTS, INPUTS);
    Quantization quantization = Quantization.of(source).module("fc", Dtype.INT8).dynamic();
    if (!second.equals("native")) {
      quantization.module("other", Dtype.INT8);
    }
    if (second.equals("weights")) {
      quantization.weightsOnly("other");
    }
    quantization.into(folder);
    Tensor input = Tensor.ofFloats(inputs(3), 3, INPUTS);

    assertThat(PackedWeights.find(runnable(), "fc")).isPresent();
    assertThat(PackedWeights.find(runnable(), "other").isPresent())
        .isEqualTo(second.equals("packed"));
    try (TorchModel artifact = TestModels.open(runnable())) {
      assertThat(TestModels.tensor(artifact, "other.weight").elementType())
          .isEqualTo(second.equals("weights") ? ElementType.INT8 : ElementType.FLOAT32);
    }
    assertThat(Outputs.difference(Outputs.of(runnable(), input), Outputs.of(source, input)))
        .isLessThan(0.01)
        .isGreaterThan(0);
  }

  @Test
  void a_parent_that_reads_a_packed_weight_gets_it_restored() throws IOException {
    Path source =
        Archives.withCode(
            Archives.linear(folder, weightsOfUnlikeSigns(), OUTPUTS, INPUTS),
            folder,
            (name, text) ->
                text.replace(
                    "return (fc).forward(input, )",
                    "return torch.add((fc).forward(input, ), torch.linear(torch.neg(input),"
                        + " fc.weight, None))"));
    Quantization.of(source).all(Dtype.INT8).dynamic().option("reduce_range", "false").into(folder);
    float[] input = inputs(3);

    float[] actual = Outputs.of(runnable(), Tensor.ofFloats(input, 3, INPUTS));

    // Both products are of the same codes: their sum is rounding alone.
    for (float value : actual) {
      assertThat(Math.abs(value)).isLessThan(1e-3f);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 17, 300})
  void any_number_of_rows_can_be_multiplied(int rows) throws IOException {
    Path source = Archives.linear(folder, weights(), OUTPUTS, INPUTS);
    Quantization.of(source).all(Dtype.INT8).dynamic().into(folder);
    float[] input = rows == 0 ? new float[0] : inputs(rows);

    float[] actual = Outputs.of(runnable(), Tensor.ofFloats(input, rows, INPUTS));

    assertThat(actual).hasSize(rows * OUTPUTS);
    if (rows > 0) {
      assertThat(
              Outputs.difference(actual, Outputs.of(source, Tensor.ofFloats(input, rows, INPUTS))))
          .isLessThan(0.01);
    }
  }

  @Test
  void a_module_without_a_product_to_replace_keeps_a_native_input() throws IOException {
    Path source =
        Archives.withCode(
            Archives.linear(folder, weights(), OUTPUTS, INPUTS),
            folder,
            (name, text) ->
                text.replace(
                    "torch.linear(input, weight, bias)",
                    "torch.matmul(input, torch.transpose(weight, 0, 1))"));

    SavedModel saved = Quantization.of(source).all(Dtype.INT8).dynamic().into(folder);

    assertThat(PackedWeights.find(runnable(), "fc")).isEmpty();
    float[] input = inputs(2);
    assertThat(
            Outputs.difference(
                Outputs.of(runnable(), Tensor.ofFloats(input, 2, INPUTS)),
                Outputs.of(source, Tensor.ofFloats(input, 2, INPUTS))))
        .isLessThan(0.01);
    assertThat(report(saved, "fc").note())
        .isEqualTo(
            "its input stays native in quantized_model_torchao.pt: its code has no product that"
                + " could be replaced");
  }

  @Test
  void int8_inputs_need_int8_weights() {
    assertThatThrownBy(
            () ->
                Quantization.of(TestModels.model("tied.pt"))
                    .module("head", Dtype.INT8)
                    .inputsOnly("head")
                    .dynamic()
                    .into(folder))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("the activations of head are quantized and the weights are not");
  }

  private Path runnable() {
    return folder.resolve(TorchaoBackend.RUNNABLE);
  }

  private static ModuleReport report(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(each -> each.decision().module().equals(module))
        .findFirst()
        .orElseThrow();
  }

  private static byte[] codes(Path archive, String module) {
    return PackedWeights.find(archive, module).orElseThrow().codes();
  }
}
