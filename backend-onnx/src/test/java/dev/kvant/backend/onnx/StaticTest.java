package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Static quantization of an ONNX graph")
class StaticTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "minmax, cpu",
    "mse, cpu",
    "percentile, cpu",
    "entropy, cpu",
    "minmax, tensorrt",
    "mse, tensorrt"
  })
  void keeps_both_digit_classifiers_as_good_as_they_were(String algorithm, String target) {
    for (Path source : List.of(Digits.RESNET, Digits.TRANSFORMER)) {
      Path quantized =
          run(
              Quantization.staticOf(with(algorithm, Map.of()), Digits.calibration(64))
                  .with("target", target),
              source);

      assertThat(Digits.correct(quantized)).isBetween(Digits.correct(source) - 2, 600);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"accuracy", "balanced", "speed"})
  void keeps_both_digit_classifiers_as_good_with_regions_of_any_size(String optimize) {
    for (Path source : List.of(Digits.RESNET, Digits.TRANSFORMER)) {
      Path quantized =
          run(
              Quantization.staticOf(with("mse", Map.of()), Digits.calibration(64))
                  .with("optimize", optimize),
              source);

      assertThat(Digits.correct(quantized)).isBetween(Digits.correct(source) - 2, 600);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp8_e4m3fn", "fp8_e5m2"})
  void keeps_both_digit_classifiers_as_good_in_float8(String dtype) {
    for (Path source : List.of(Digits.RESNET, Digits.TRANSFORMER)) {
      Path quantized =
          run(
              Quantization.staticOf(
                  module -> Plans.Wish.both(Dtype.of(dtype)), Digits.calibration(64)),
              source);

      assertThat(Digits.correct(quantized)).isBetween(Digits.correct(source) - 2, 600);
    }
  }

  @Test
  void quantizes_outputs_on_request() {
    Path quantized =
        run(
            Quantization.staticOf(StaticTest::int8, Digits.calibration(64))
                .with("quantize_outputs", true),
            Digits.RESNET);

    assertThat(Digits.correct(quantized)).isBetween(Digits.correct(Digits.RESNET) - 2, 600);
    assertThat(nodes(quantized, "QuantizeLinear")).hasSize(7 + 7);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 256})
  void does_not_depend_on_how_the_data_is_cut_into_batches(int batchSize) {
    for (String algorithm : List.of("minmax", "entropy", "percentile", "mse")) {
      for (Path source : List.of(Digits.RESNET, Digits.TRANSFORMER)) {
        Path some =
            run(
                Quantization.staticOf(with(algorithm, Map.of()), Digits.calibration(batchSize)),
                source);
        Path others =
            run(Quantization.staticOf(with(algorithm, Map.of()), Digits.calibration(32)), source);

        assertThat(some).hasSameBinaryContentAs(others);
      }
    }
  }

  @Test
  void gives_a_tensor_that_several_nodes_read_one_pair_of_operators() {
    Path quantized =
        run(Quantization.staticOf(StaticTest::int8, Digits.calibration(64)), Digits.TRANSFORMER);

    // Eight products and two heads of Gemm read eight different tensors.
    List<String> sources =
        nodes(quantized, "QuantizeLinear").stream().map(node -> node.input(0)).toList();
    assertThat(sources).doesNotHaveDuplicates();
  }

  @Test
  void leaves_the_float_tensor_to_those_who_are_not_quantized() {
    Path quantized =
        run(Quantization.staticOf(StaticTest::int8, Digits.calibration(64)), Digits.TRANSFORMER);

    Node residual =
        nodes(quantized, "Add").stream()
            .filter(node -> node.name().equals("/encoder/layers.1/Add_1"))
            .findFirst()
            .orElseThrow();
    assertThat(residual.input(0)).isEqualTo("/encoder/layers.1/norm1/LayerNormalization_output_0");
  }

  @Test
  void mixes_precisions_in_one_graph() {
    Path quantized =
        run(
            Quantization.staticOf(
                    module ->
                        module.names().contains("stem")
                            ? Plans.Wish.NATIVE
                            : module.names().contains("head.1")
                                ? Plans.Wish.weights(Dtype.INT8)
                                : Plans.Wish.both(Dtype.INT8),
                    Digits.calibration(64))
                .with("optimize", "accuracy"),
            Digits.RESNET);

    assertThat(nodes(quantized, "QuantizeLinear"))
        .extracting(node -> node.input(0))
        .containsExactly(
            "/stem/Conv_output_0",
            "/layers/layers.0/act/Relu_output_0",
            "/layers/layers.0/act_1/Relu_output_0",
            "/layers/layers.1/act/Relu_output_0",
            "/head/head.2/Relu_output_0");
    assertThat(Digits.correct(quantized)).isBetween(Digits.correct(Digits.RESNET) - 2, 600);
  }

  @Test
  void stores_biases_in_int32_for_processors_and_in_float_for_tensorrt() {
    Path forCpu =
        run(Quantization.staticOf(StaticTest::int8, Digits.calibration(64)), Digits.RESNET);
    assertThat(biases(forCpu)).allMatch(bias -> bias.endsWith("_DequantizeLinear_Output"));

    Path forTensorRt =
        run(
            Quantization.staticOf(StaticTest::int8, Digits.calibration(64))
                .with("target", "tensorrt"),
            Digits.RESNET);
    assertThat(biases(forTensorRt)).noneMatch(bias -> bias.endsWith("_DequantizeLinear_Output"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"vector", "matrix"})
  void stores_the_vector_that_is_added_to_a_product_in_int32(String constant) {
    TestGraph graph =
        new TestGraph()
            .input("x", 16, 32)
            .output("y", 16, 32)
            .random("w", 0.2, 32, 32)
            .node("MatMul", List.of("x", "w"), "product")
            .node("Add", List.of("added", "product"), "y");
    boolean isVector = constant.equals("vector");
    Path source =
        (isVector ? graph.random("added", 32) : graph.random("added", 16, 32)).write(folder);

    Path quantized =
        run(
            Quantization.staticOf(StaticTest::int8, Graphs.data(Graphs.batch(1, 16, 32)))
                .with("optimize", "accuracy"),
            source);

    assertThat(nodes(quantized, "Add").get(0).input(0))
        .isEqualTo(isVector ? "added_DequantizeLinear_Output" : "added");
    assertThat(Graphs.distance(quantized, source, Graphs.batch(1, 16, 32))).isLessThan(0.02);
  }

  @Test
  void obeys_the_percentage_of_a_rule() {
    Path some =
        run(
            Quantization.staticOf(
                with("percentile", Map.of("percentile", 90)), Digits.calibration(64)),
            Digits.RESNET);
    byte[] bytes = bytes(some);
    Path others =
        run(
            Quantization.staticOf(with("percentile", Map.of()), Digits.calibration(64)),
            Digits.RESNET);

    assertThat(bytes).isNotEqualTo(bytes(others));
  }

  @Test
  void without_calibration_says_what_is_missing_and_writes_nothing() {
    Path results = folder.resolve("results");

    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> Quantization.staticOf(StaticTest::int8, null).run(Digits.RESNET, results))
        .withMessageContaining("/stem/Conv")
        .withMessageContaining("--calibration");
    assertThat(results).doesNotExist();
  }

  @Test
  void needs_no_calibration_where_activations_stay_native() {
    Path quantized =
        run(Quantization.staticOf(module -> Plans.Wish.weights(Dtype.INT8), null), Digits.RESNET);

    assertThat(Digits.correct(quantized)).isBetween(Digits.correct(Digits.RESNET) - 2, 600);
  }

  @Test
  void refuses_an_empty_data_set() {
    assertRefused(CalibrationDataset.of(List.of()), "empty");
  }

  @Test
  void names_the_input_that_the_data_lacks_or_has_too_much() {
    Tensor scan = Tensor.ofFloats(new float[64], 1, 1, 8, 8);

    assertRefused(
        CalibrationDataset.of(List.of(new TensorBatch(Map.of("pixels", scan)))), "'pixels'");
    assertRefused(
        CalibrationDataset.of(List.of(new TensorBatch(Map.of("input", scan, "mask", scan)))),
        "'mask'");
  }

  @Test
  void names_the_input_whose_type_or_shape_does_not_fit() {
    assertRefused(
        CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofLongs(new long[64], 1, 1, 8, 8)))),
        "'input' is of type float32, the data has int64");
    assertRefused(
        CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofFloats(new float[63], 1, 1, 9, 7)))),
        "'input' is float32[any, 1, 8, 8], the data has the shape [1, 1, 9, 7]");
  }

  @Test
  void names_the_batch_and_the_tensor_with_a_value_that_is_not_finite() {
    float[] values = new float[64];
    values[3] = Float.NaN;

    assertRefused(
        CalibrationDataset.of(
            List.of(
                TensorBatch.of(Tensor.ofFloats(new float[64], 1, 1, 8, 8)),
                TensorBatch.of(Tensor.ofFloats(values, 1, 1, 8, 8)))),
        "batch 2: 'input' is NaN at index 3");
  }

  private void assertRefused(CalibrationDataset data, String message) {
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> Quantization.staticOf(StaticTest::int8, data).run(Digits.RESNET, folder))
        .withMessageContaining(message);
    assertThat(folder).isEmptyDirectory();
  }

  private static Plans.Wish int8(ModuleDescription module) {
    assertThat(module.hasWeights()).isTrue();
    return Plans.Wish.both(Dtype.INT8);
  }

  private static Function<ModuleDescription, Plans.Wish> with(
      String algorithm, Map<String, Object> options) {
    OperandSettings settings =
        new OperandSettings(null, CalibrationAlgorithm.of(algorithm), options);
    return module -> Plans.Wish.both(Dtype.INT8).with(settings);
  }

  private Path run(Quantization quantization, Path source) {
    try {
      Path results = Files.createTempDirectory(folder, "results");
      return quantization.run(source, results).artifacts().get(0).path();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Node> nodes(Path file, String operator) {
    try (OnnxFile model = OnnxFile.open(file)) {
      Graph graph = model.load().graph();
      return graph.nodes().stream().filter(node -> node.is(operator)).toList();
    }
  }

  private static List<String> biases(Path file) {
    return nodes(file, "Conv").stream().map(node -> node.input(2)).toList();
  }
}
