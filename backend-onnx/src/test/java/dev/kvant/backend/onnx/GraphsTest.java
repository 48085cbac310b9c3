package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.onnx.graph.Node;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Quantization of graphs of all kinds")
class GraphsTest {

  private static final TensorBatch ROWS = Graphs.batch(1, 16, 8);
  private static final TensorBatch IMAGES = Graphs.batch(1, 4, 3, 6, 6);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"int8, 13, 0.01", "fp8_e4m3fn, 19, 0.05", "fp8_e5m2, 19, 0.1"})
  void raises_old_operators_as_far_as_needed(String dtype, long opset, double tolerance) {
    Path quantized = weights(dtype).run(Graphs.model("opset11"), folder).artifacts().get(0).path();

    assertThat(Graphs.opset(quantized)).isEqualTo(opset);
    assertThat(Graphs.distance(quantized, Graphs.model("opset11"), ROWS)).isLessThan(tolerance);
  }

  @ParameterizedTest
  @CsvSource({"int8, 0.03", "fp8_e4m3fn, 0.1", "fp8_e5m2, 0.2"})
  void quantizes_activations_to_every_dtype(String dtype, double tolerance) {
    Path quantized =
        both(dtype, IMAGES).run(Graphs.model("convolution"), folder).artifacts().get(0).path();

    int quantizers =
        Graphs.nodes(quantized, "QuantizeLinear").size() + Graphs.nodes(quantized, "Div").size();
    assertThat(quantizers).isEqualTo(2);
    assertThat(Graphs.distance(quantized, Graphs.model("convolution"), IMAGES))
        .isLessThan(tolerance);
  }

  @Test
  void writes_float8_for_tensorrt_as_pairs() {
    Path quantized =
        both("fp8_e4m3fn", IMAGES)
            .with("target", "tensorrt")
            .run(Graphs.model("convolution"), folder)
            .artifacts()
            .get(0)
            .path();

    assertThat(Graphs.nodes(quantized, "DequantizeLinear")).hasSize(4);
    assertThat(Graphs.nodes(quantized, "Cast")).isEmpty();
  }

  @Test
  void fuses_batch_norms_and_folds_constants_first() {
    Path quantized =
        weights("int8").run(Graphs.model("convolution"), folder).artifacts().get(0).path();

    assertThat(Graphs.nodes(quantized, "BatchNormalization")).isEmpty();
    assertThat(Graphs.nodes(quantized, "Transpose")).isEmpty();
    assertThat(Graphs.distance(quantized, Graphs.model("convolution"), IMAGES)).isLessThan(0.02);
  }

  @Test
  void leaves_the_graph_alone_on_request() {
    SavedModel saved =
        weights("int8").with("preprocess", false).run(Graphs.model("convolution"), folder);
    Path quantized = saved.artifacts().get(0).path();

    assertThat(Graphs.nodes(quantized, "BatchNormalization")).hasSize(1);
    assertThat(decision(saved, "linear").decision().weights().reason())
        .contains("transposed", "preprocess");
    assertThat(Graphs.distance(quantized, Graphs.model("convolution"), IMAGES)).isLessThan(0.02);
  }

  @Test
  void quantizes_weights_inside_of_conditions_and_loops() {
    SavedModel saved = weights("int8").run(Graphs.model("inner"), folder);
    Path quantized = saved.artifacts().get(0).path();

    assertThat(saved.report().modules())
        .extracting(module -> module.decision().module())
        .containsExactly("product", "choice/then_branch/product", "inner_product");
    assertThat(Graphs.nodes(quantized, "DequantizeLinear")).hasSize(3);
    assertThat(Graphs.distance(quantized, Graphs.model("inner"), ROWS)).isLessThan(0.05);
  }

  @Test
  void observes_activations_inside_of_conditions_and_loops() {
    Path quantized =
        both("int8", positive(), negative())
            .run(Graphs.model("inner"), folder)
            .artifacts()
            .get(0)
            .path();

    assertThat(Graphs.nodes(quantized, "QuantizeLinear")).hasSize(3);
    assertThat(Graphs.distance(quantized, Graphs.model("inner"), positive())).isLessThan(0.1);
    assertThat(Graphs.distance(quantized, Graphs.model("inner"), negative())).isLessThan(0.1);
  }

  @Test
  void keeps_native_what_the_data_never_reached() {
    SavedModel saved = both("int8", positive()).run(Graphs.model("inner"), folder);
    Path quantized = saved.artifacts().get(0).path();

    assertThat(saved.report().warnings())
        .filteredOn(
            warning ->
                warning.message().contains("else_relu")
                    && warning.message().contains("had no value while the calibration data ran"))
        .singleElement()
        .satisfies(warning -> assertThat(warning.modules()).containsExactly("product"));
    assertThat(Graphs.nodes(quantized, "QuantizeLinear")).hasSize(2);
    assertThat(Graphs.distance(quantized, Graphs.model("inner"), positive())).isLessThan(0.1);
    assertThat(Graphs.distance(quantized, Graphs.model("inner"), negative())).isLessThan(0.1);
  }

  @Test
  void names_the_batch_that_the_runtime_cannot_run() {
    TensorBatch outside = TensorBatch.of(Tensor.ofLongs(new long[] {1, 2, 20}, 1, 3));

    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> both("int8", words(), outside).run(Graphs.model("tied"), folder))
        .withMessageStartingWith("batch 2: ONNX Runtime")
        .withMessageContaining("its inputs are 'input' [1, 3]");
  }

  @Test
  void keeps_a_table_and_a_product_that_share_a_weight_sharing_it() {
    Path quantized = weights("int8").run(Graphs.model("tied"), folder).artifacts().get(0).path();

    Node table = Graphs.nodes(quantized, "Gather").get(0);
    Node product = Graphs.nodes(quantized, "DequantizeLinear").get(0);
    assertThat(table.input(0)).isEqualTo(product.input(0));
    assertThat(Graphs.distance(quantized, Graphs.model("tied"), words())).isLessThan(0.02);
  }

  @ParameterizedTest
  @ValueSource(strings = {"minmax", "entropy", "percentile", "mse"})
  void calibrates_with_texts_of_different_lengths_in_any_order(String algorithm) {
    List<TensorBatch> texts = List.of(words(12, 5), words(3, 9), words(1, 2));
    List<TensorBatch> others = List.of(words(1, 2), words(12, 5), words(3, 9));

    Path some =
        searched(CalibrationDataset.of(texts), algorithm)
            .run(Graphs.model("tied"), folder.resolve("some"))
            .artifacts()
            .get(0)
            .path();
    Path same =
        searched(CalibrationDataset.of(others), algorithm)
            .run(Graphs.model("tied"), folder.resolve("same"))
            .artifacts()
            .get(0)
            .path();

    assertThat(Graphs.nodes(some, "QuantizeLinear")).hasSize(1);
    assertThat(same).hasSameBinaryContentAs(some);
  }

  @Test
  void leaves_a_table_native_that_cannot_be_looked_up_in_float8() {
    SavedModel saved = weights("fp8_e4m3fn").run(Graphs.model("tied"), folder);

    assertThat(decision(saved, "embedding").decision().weights().reason())
        .contains("Gather does not take fp8_e4m3fn");
    assertThat(Graphs.distance(saved.artifacts().get(0).path(), Graphs.model("tied"), words()))
        .isLessThan(0.05);
  }

  @ParameterizedTest
  @CsvSource({"8, 32, 0.02", "8, 16, 0.02", "4, 32, 0.2", "4, 16, 0.2"})
  void multiplies_in_blocks_on_request(int bits, int blockSize, double tolerance) {
    for (String name : List.of("opset11", "convolution", "tied")) {
      TensorBatch batch =
          switch (name) {
            case "opset11" -> ROWS;
            case "convolution" -> IMAGES;
            default -> words();
          };
      Path quantized =
          weights("int8")
              .with("kernel", "nbits")
              .with("bits", bits)
              .with("block_size", blockSize)
              .run(Graphs.model(name), folder)
              .artifacts()
              .get(0)
              .path();

      assertThat(Graphs.nodes(quantized, "MatMulNBits")).hasSize(1);
      assertThat(Graphs.distance(quantized, Graphs.model(name), batch)).isLessThan(tolerance);
    }
  }

  @Test
  void raises_the_scale_of_a_weight_whose_bias_would_overflow() {
    Path quantized = both("int8", ROWS).run(Graphs.model("bias"), folder).artifacts().get(0).path();

    assertThat(Graphs.distance(quantized, Graphs.model("bias"), ROWS)).isLessThan(1e-4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mse", "percentile"})
  void raises_the_scale_of_a_weight_that_was_searched_for_too(String algorithm) {
    Path quantized =
        searched(Graphs.data(ROWS), algorithm)
            .run(Graphs.model("bias"), folder)
            .artifacts()
            .get(0)
            .path();

    assertThat(Graphs.distance(quantized, Graphs.model("bias"), ROWS)).isLessThan(1e-4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"convolution", "transposed", "opset11", "float16", "tied"})
  void finds_the_largest_magnitude_of_each_channel_by_searching_for_all_of_it(String name) {
    OperandSettings all =
        new OperandSettings(null, CalibrationAlgorithm.PERCENTILE, Map.of("percentile", 100));

    SavedModel whole = weights("int8").run(Graphs.model(name), folder.resolve("whole"));
    SavedModel searched =
        Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8).with(all))
            .run(Graphs.model(name), folder.resolve("searched"));

    assertThat(searched.report().modules())
        .extracting(module -> module.weights().sqnrDecibels())
        .isEqualTo(
            whole.report().modules().stream()
                .map(module -> module.weights().sqnrDecibels())
                .toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"tensor", "axis:0"})
  void loses_less_of_a_weight_whose_range_was_searched_for(String text) {
    Granularity granularity = Granularity.of(text);
    OperandSettings mse = new OperandSettings(granularity, CalibrationAlgorithm.MSE, Map.of());
    OperandSettings minmax =
        new OperandSettings(granularity, CalibrationAlgorithm.MINMAX, Map.of());
    String module = "/head/head.1/Gemm";

    SavedModel whole =
        Quantization.weightsOf(each -> Plans.Wish.weights(Dtype.INT8).with(minmax))
            .run(Digits.RESNET, folder.resolve("whole"));
    SavedModel searched =
        Quantization.weightsOf(each -> Plans.Wish.weights(Dtype.INT8).with(mse))
            .run(Digits.RESNET, folder.resolve("searched"));

    assertThat(decision(searched, module).weights().sqnrDecibels())
        .isGreaterThan(decision(whole, module).weights().sqnrDecibels());
  }

  @ParameterizedTest
  @CsvSource({"int8, 0.03", "fp8_e4m3fn, 0.1"})
  void quantizes_transposed_convolutions(String dtype, double tolerance) {
    Path quantized =
        both(dtype, IMAGES).run(Graphs.model("transposed"), folder).artifacts().get(0).path();

    assertThat(Graphs.nodes(quantized, "DequantizeLinear")).isNotEmpty();
    assertThat(Graphs.distance(quantized, Graphs.model("transposed"), IMAGES))
        .isLessThan(tolerance);
  }

  @Test
  void observes_activations_inside_of_scans() {
    Path quantized = both("int8", ROWS).run(Graphs.model("scan"), folder).artifacts().get(0).path();

    assertThat(Graphs.nodes(quantized, "QuantizeLinear")).hasSize(1);
    assertThat(Graphs.distance(quantized, Graphs.model("scan"), ROWS)).isLessThan(0.1);
  }

  @Test
  void quantizes_products_of_float16() {
    Path quantized =
        both("int8", ROWS).run(Graphs.model("float16"), folder).artifacts().get(0).path();

    assertThat(Graphs.opset(quantized)).isEqualTo(19);
    assertThat(Graphs.nodes(quantized, "DequantizeLinear")).hasSize(2);
    assertThat(Graphs.distance(quantized, Graphs.model("float16"), ROWS)).isLessThan(0.03);
  }

  @Test
  void quantizes_weights_of_bfloat16() {
    SavedModel saved = weights("int8").run(Graphs.model("bfloat16"), folder);

    assertThat(decision(saved, "product").weights().sqnrDecibels()).isGreaterThan(35.0);
    assertThat(Graphs.opset(saved.artifacts().get(0).path())).isEqualTo(19);
  }

  @Test
  void leaves_inputs_of_bfloat16_native_which_the_runtime_cannot_observe() {
    SavedModel saved = both("int8", ROWS).run(Graphs.model("bfloat16"), folder);

    ModuleReport product = decision(saved, "product");
    assertThat(product.weights().dtype()).isEqualTo(Dtype.INT8);
    assertThat(product.decision().activations().dtype()).isEqualTo(Dtype.NATIVE);
    assertThat(product.decision().activations().reason())
        .startsWith("its inputs are bfloat16, and ONNX Runtime has no such products for CPUs");
  }

  @Test
  void leaves_functions_of_the_model_alone() {
    SavedModel saved = both("int8", ROWS).run(Graphs.model("function"), folder);

    assertThat(saved.report().modules())
        .extracting(module -> module.decision().module())
        .containsExactly("product");
    assertThat(Graphs.distance(saved.artifacts().get(0).path(), Graphs.model("function"), ROWS))
        .isLessThan(0.05);
  }

  @Test
  void refuses_to_raise_a_model_with_functions() {
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> weights("fp8_e4m3fn").run(Graphs.model("function"), folder))
        .withMessageContaining("has functions of its own (Twice)")
        .withMessageContaining("export it anew with opset 19");
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"minmax", "mse"})
  void names_the_weight_that_is_not_finite(String algorithm) {
    assertThatExceptionOfType(QuantizationException.class)
        .isThrownBy(() -> searched(null, algorithm).run(Graphs.model("not_finite"), folder))
        .withMessageContaining("'w' of product is NaN at index 10");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void takes_the_newest_operators_as_they_are() {
    Path quantized =
        both("int8", ROWS).run(Graphs.model("opset23"), folder).artifacts().get(0).path();

    assertThat(Graphs.opset(quantized)).isEqualTo(23);
    assertThat(Graphs.distance(quantized, Graphs.model("opset23"), ROWS)).isLessThan(0.05);
  }

  @ParameterizedTest
  @ValueSource(longs = {6, 24})
  void refuses_operators_that_are_too_old_or_too_new(long opset) {
    Path model = new TestGraph().opset(opset).input("x", 1).output("x", 1).write(folder);

    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> weights("int8").run(model, folder.resolve("out")))
        .withMessageEndingWith(
            "is of opset %d; opsets 7 to 23 are supported, export the model anew with one of them"
                .formatted(opset));
    assertThat(folder.resolve("out")).doesNotExist();
  }

  private static ModuleReport decision(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .findFirst()
        .orElseThrow();
  }

  private static Quantization weights(String dtype) {
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.of(dtype)));
  }

  private static Quantization both(String dtype, TensorBatch... batches) {
    return Quantization.staticOf(module -> Plans.Wish.both(Dtype.of(dtype)), Graphs.data(batches))
        .with("optimize", "accuracy");
  }

  /** Weights whose range is chosen by an algorithm, and activations too if there is data. */
  private static Quantization searched(@Nullable CalibrationDataset data, String algorithm) {
    OperandSettings settings =
        new OperandSettings(null, CalibrationAlgorithm.of(algorithm), Map.of());
    return data == null
        ? Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8).with(settings))
        : Quantization.staticOf(module -> Plans.Wish.both(Dtype.INT8).with(settings), data)
            .with("optimize", "accuracy");
  }

  private static TensorBatch positive() {
    return Graphs.shifted(0.5f);
  }

  private static TensorBatch negative() {
    return Graphs.shifted(-0.5f);
  }

  private static TensorBatch words() {
    return words(12, 5);
  }

  private static TensorBatch words(int texts, int length) {
    long[] words = new long[texts * length];
    for (int i = 0; i < words.length; i++) {
      words[i] = i * 7L % 20;
    }
    return new TensorBatch(Map.of("x", Tensor.ofLongs(words, texts, length)));
  }
}
