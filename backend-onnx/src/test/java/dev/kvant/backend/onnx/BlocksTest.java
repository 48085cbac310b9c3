package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.SmallGraph.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A layer of 48 inputs that depend on each other, as those of trained models do. */
@DisplayName("Weights in blocks of 4 bits")
class BlocksTest {

  private static final int INPUTS = 48;
  private static final int OUTPUTS = 24;
  private static final int TOKENS = 5;

  @TempDir private Path folder;

  private Path source() {
    return SmallGraph.ofFloats()
        .input("x", -1, TOKENS, INPUTS)
        .indices("attention_mask", -1, TOKENS)
        .constant("w", normal(1, INPUTS * OUTPUTS, 1), INPUTS, OUTPUTS)
        .node("MatMul", "mm", List.of("x", "w"), "y")
        .output("y", -1, TOKENS, OUTPUTS)
        .write(folder);
  }

  /** Tokens that mix 8 features, with some noise. */
  private static float[] tokens(long seed, int count) {
    float[] mix = normal(99, 8 * INPUTS, 1);
    float[] features = normal(seed, 8 * count, 1);
    float[] values = normal(seed + 1000, count * INPUTS, 0.3);
    for (int token = 0; token < count; token++) {
      for (int i = 0; i < INPUTS; i++) {
        for (int feature = 0; feature < 8; feature++) {
          values[token * INPUTS + i] += features[token * 8 + feature] * mix[feature * INPUTS + i];
        }
      }
    }
    return values;
  }

  private static TensorBatch batch(float[] values) {
    int samples = values.length / INPUTS / TOKENS;
    long[] mask = new long[samples * TOKENS];
    Arrays.fill(mask, 1);
    return new TensorBatch(
        Map.of(
            "x",
            Tensor.ofFloats(values, samples, TOKENS, INPUTS),
            "attention_mask",
            Tensor.ofLongs(mask, samples, TOKENS)));
  }

  private static Quantization blocks(CalibrationAlgorithm algorithm) {
    OperandSettings settings = new OperandSettings(null, algorithm, Map.of());
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8).with(settings))
        .with("kernel", "nbits")
        .with("bits", 4)
        .with("block_size", 16)
        .with("accuracy_level", 1);
  }

  private double sqnr(Quantization quantization) {
    Path source = source();
    SavedModel saved = quantization.run(source, folder.resolve("out"));
    return SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch(tokens(50, 200)));
  }

  @Test
  void change_outputs_less_the_more_is_known_of_the_inputs() {
    TensorBatch data = batch(tokens(1, 400));

    double range = sqnr(blocks(CalibrationAlgorithm.MINMAX));
    double searched = sqnr(blocks(CalibrationAlgorithm.MSE));
    double chosen = sqnr(blocks(CalibrationAlgorithm.GPTQ).on(Graphs.data(data)));

    assertThat(searched).isGreaterThan(range);
    assertThat(chosen).isGreaterThan(searched + 6);
  }

  @Test
  void weigh_errors_by_the_power_of_the_inputs_where_there_is_data() {
    float[] values = tokens(1, 400);
    float[] others = tokens(50, 200);
    for (float[] each : List.of(values, others)) {
      for (int i = 0; i < each.length; i++) {
        each[i] *= i % INPUTS % 8 == 0 ? 8 : 1;
      }
    }
    Path source = source();

    double without = sqnr(blocks(CalibrationAlgorithm.MSE), source, others);
    double with =
        sqnr(blocks(CalibrationAlgorithm.MSE).on(Graphs.data(batch(values))), source, others);

    assertThat(with).isGreaterThan(without + 1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void lose_less_after_awq_where_few_inputs_have_most_of_the_power(boolean symmetric) {
    float[] values = tokens(1, 400);
    float[] others = tokens(50, 200);
    for (float[] each : List.of(values, others)) {
      for (int i = 0; i < each.length; i++) {
        each[i] *= i % INPUTS % 16 == 0 ? 20 : 1;
      }
    }
    Path source = source();

    double searched =
        sqnr(
            blocks(CalibrationAlgorithm.MSE)
                .with("symmetric", symmetric)
                .on(Graphs.data(batch(values))),
            source,
            others);
    SavedModel saved =
        blocks(CalibrationAlgorithm.AWQ)
            .with("symmetric", symmetric)
            .on(Graphs.data(batch(values)))
            .run(source, folder.resolve("awq"));

    Path artifact = saved.artifacts().get(0).path();
    assertThat(SmallGraph.sqnr(source, artifact, batch(others))).isGreaterThan(searched + 0.5);
    assertThat(saved.report().modules().get(0).note())
        .matches("awq: alpha 0\\.\\d\\d, a Mul before the product");
    assertThat(nodes(artifact)).extracting(Node::opType).containsExactly("Mul", "MatMulNBits");
  }

  @Test
  void are_those_of_mse_after_awq_where_all_inputs_have_the_same_power() {
    Path source = source();
    float[] values = normal(3, 400 * INPUTS, 1);
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.signum(values[i]);
    }
    TensorBatch data = batch(values);

    Path awq = artifact(blocks(CalibrationAlgorithm.AWQ).on(Graphs.data(data)), source, "awq");

    assertThat(nodes(awq)).extracting(Node::opType).containsExactly("MatMulNBits");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void weigh_errors_by_the_scale_of_a_normalization_where_there_is_no_data(boolean isWritten) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, TOKENS, INPUTS)
            .indices("attention_mask", -1, TOKENS)
            .constant("w", normal(1, INPUTS * OUTPUTS, 1), INPUTS, OUTPUTS);
    float[] scale = new float[INPUTS];
    float[] bias = new float[INPUTS];
    for (int i = 0; i < INPUTS; i++) {
      scale[i] = i % 8 == 0 ? 8 : 1;
      bias[i] = i % 8 == 4 ? 4 : 0;
    }
    graph.constant("scale", scale, INPUTS).constant("bias", bias, INPUTS);
    Path source =
        normalized(graph, isWritten)
            .node("MatMul", "mm", List.of("normalized", "w"), "y")
            .output("y", -1, TOKENS, OUTPUTS)
            .write(folder);
    float[] values = normal(50, 200 * INPUTS, 1);

    double unweighted = sqnr(blocks(CalibrationAlgorithm.MINMAX), source, values);
    double weighted = sqnr(blocks(CalibrationAlgorithm.MSE), source, values);
    double observed =
        sqnr(
            blocks(CalibrationAlgorithm.MSE).on(Graphs.data(batch(normal(1, 400 * INPUTS, 1)))),
            source,
            values);

    assertThat(weighted).isGreaterThan(unweighted + 2).isCloseTo(observed, within(0.2));
  }

  private static SmallGraph normalized(SmallGraph graph, boolean isWritten) {
    if (!isWritten) {
      return graph.node("LayerNormalization", "norm", List.of("x", "scale", "bias"), "normalized");
    }
    return graph
        .opset(18)
        .longs("last", -1)
        .node("ReduceMean", "mean", List.of("x", "last"), "m")
        .node("Sub", "centered", List.of("x", "m"), "c")
        .node("Mul", "square", List.of("c", "c"), "s")
        .node("ReduceMean", "variance", List.of("s", "last"), "v")
        .node("Sqrt", "root", List.of("v"), "r")
        .node("Div", "quotient", List.of("c", "r"), "q")
        .node("Mul", "scaled", List.of("q", "scale"), "p")
        .node("Add", "shifted", List.of("p", "bias"), "normalized");
  }

  private double sqnr(Quantization quantization, Path source, float[] values) {
    SavedModel saved = quantization.run(source, folder.resolve("out"));
    return SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch(values));
  }

  @Test
  void do_not_depend_on_batches_and_threads() throws IOException {
    float[] values = tokens(1, 100);
    List<TensorBatch> pieces = new ArrayList<>();
    for (int from = 0; from < 100; from += 20) {
      pieces.add(batch(Arrays.copyOfRange(values, from * INPUTS, (from + 20) * INPUTS)));
    }
    Path source = source();

    Path whole =
        artifact(blocks(CalibrationAlgorithm.GPTQ).on(Graphs.data(batch(values))), source, "a");
    Path spread =
        artifact(
            blocks(CalibrationAlgorithm.GPTQ)
                .on(Graphs.data(pieces.toArray(TensorBatch[]::new)))
                .threads(3),
            source,
            "b");

    assertThat(Files.readAllBytes(spread)).isEqualTo(Files.readAllBytes(whole));
  }

  @Test
  void do_not_depend_on_what_the_mask_hides() throws IOException {
    float[] values = tokens(1, 100);
    float[] other = values.clone();
    long[] mask = new long[100];
    Arrays.fill(mask, 1);
    for (int token = 3; token < 100; token += 5) {
      mask[token] = 0;
      Arrays.fill(other, token * INPUTS, (token + 1) * INPUTS, 1000);
    }
    Path source = source();

    Path one = artifact(blocks(CalibrationAlgorithm.GPTQ).on(masked(values, mask)), source, "a");
    Path two = artifact(blocks(CalibrationAlgorithm.GPTQ).on(masked(other, mask)), source, "b");
    Path all =
        artifact(blocks(CalibrationAlgorithm.GPTQ).on(Graphs.data(batch(other))), source, "c");

    assertThat(Files.readAllBytes(two)).isEqualTo(Files.readAllBytes(one));
    assertThat(Files.readAllBytes(all)).isNotEqualTo(Files.readAllBytes(one));
  }

  private static CalibrationDataset masked(float[] values, long[] mask) {
    return Graphs.data(
        new TensorBatch(
            Map.of(
                "x",
                Tensor.ofFloats(values, 20, TOKENS, INPUTS),
                "attention_mask",
                Tensor.ofLongs(mask, 20, TOKENS))));
  }

  private Path artifact(Quantization quantization, Path source, String name) {
    return quantization.run(source, folder.resolve(name)).artifacts().get(0).path();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gptq", "awq"})
  void are_not_chosen_by_inputs_without_data(String algorithm) {
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(
            () -> blocks(CalibrationAlgorithm.of(algorithm)).run(source(), folder.resolve("out")))
        .withMessage(
            algorithm
                + " depends on the inputs of mm, and there are no statistics of them; give"
                + " calibration data with --calibration, or use algorithm: mse");
  }

  @Test
  void whose_input_is_in_a_body_are_searched_without_it_and_the_report_says_so() {
    OperandSettings settings = new OperandSettings(null, CalibrationAlgorithm.GPTQ, Map.of());
    SavedModel saved =
        Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8).with(settings))
            .with("kernel", "nbits")
            .with("bits", 4)
            .on(Graphs.data(Graphs.shifted(0.5f), Graphs.shifted(-0.5f)))
            .run(Graphs.model("inner"), folder.resolve("out"));

    assertThat(saved.report().modules())
        .filteredOn(module -> module.weights().isQuantized() && module.note() != null)
        .isNotEmpty()
        .allSatisfy(module -> assertThat(module.note()).contains("instead of gptq"));
  }

  @Test
  void of_a_matrix_that_two_products_multiply_by_are_stored_once_for_the_inputs_of_both() {
    Path source =
        SmallGraph.ofFloats()
            .input("x", -1, INPUTS)
            .input("z", -1, INPUTS)
            .constant("w", normal(1, INPUTS * OUTPUTS, 1), INPUTS, OUTPUTS)
            .node("MatMul", "one", List.of("x", "w"), "a")
            .node("MatMul", "two", List.of("z", "w"), "b")
            .output("a", -1, OUTPUTS)
            .output("b", -1, OUTPUTS)
            .write(folder);
    float[] first = tokens(1, 300);
    float[] second = first.clone();
    // What the second product reads decides about the codes as what the first one reads does.
    for (int i = 0; i < second.length; i++) {
      second[i] = i % INPUTS < INPUTS / 2 ? second[i] * 10 : 0;
      first[i] = i % INPUTS < INPUTS / 2 ? 0 : first[i];
    }
    TensorBatch both =
        new TensorBatch(
            Map.of(
                "x", Tensor.ofFloats(first, 300, INPUTS),
                "z", Tensor.ofFloats(second, 300, INPUTS)));

    Path one = artifact(blocks(CalibrationAlgorithm.GPTQ).on(Graphs.data(both)), source, "gptq");
    Path range = artifact(blocks(CalibrationAlgorithm.MINMAX), source, "minmax");

    assertThat(codes(one)).containsExactly("w_quantized", "w_quantized");
    assertThat(SmallGraph.sqnr(source, one, both))
        .isGreaterThan(SmallGraph.sqnr(source, range, both) + 3);
  }

  /** The codes that each operator in blocks reads. */
  private static List<String> codes(Path artifact) {
    return nodes(artifact).stream()
        .map(node -> node.input(node.opType().equals("MatMulNBits") ? 1 : 0))
        .toList();
  }

  private static List<Node> nodes(Path artifact) {
    try (OnnxFile file = OnnxFile.open(artifact)) {
      return file.load().graph().nodes();
    }
  }

  @ParameterizedTest
  @CsvSource({
    // Columns, size of blocks, symmetric: whether ONNX Runtime 1.23 looks up such rows correctly.
    "64, 16, false, true",
    "96, 32, false, false",
    "96, 32, true, true",
    "40, 32, true, false",
    "48, 16, false, false"
  })
  void hold_tables_of_rows_that_the_runtime_looks_up(
      int columns, int blockSize, boolean symmetric, boolean fits) {
    Path source =
        SmallGraph.ofFloats()
            .indices("i", -1, 6)
            .constant("table", normal(1, 50 * columns, 1), 50, columns)
            .node("Gather", "embedding", List.of("table", "i"), "e")
            .output("e", -1, 6, columns)
            .write(folder);

    SavedModel saved =
        Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
            .with("kernel", "nbits")
            .with("embedding_bits", 4)
            .with("block_size", blockSize)
            .with("symmetric", symmetric)
            .run(source, folder.resolve("out"));

    Path artifact = saved.artifacts().get(0).path();
    ModuleReport table = saved.report().modules().get(0);
    assertThat(table.weights().granularity())
        .isEqualTo(fits ? Granularity.group(blockSize) : Granularity.axis(0));
    assertThat(nodes(artifact).get(0).opType()).isEqualTo(fits ? "GatherBlockQuantized" : "Gather");
    if (!fits) {
      assertThat(table.note()).startsWith("ONNX Runtime 1.23 looks up rows correctly only if");
    }
    TensorBatch batch =
        new TensorBatch(Map.of("i", Tensor.ofLongs(new long[] {0, 1, -1, 3, 48, 49}, 1, 6)));
    double measured = SmallGraph.sqnr(source, artifact, batch);
    // What the report says of all rows holds for those that are looked up.
    assertThat(measured)
        .isCloseTo(Objects.requireNonNull(table.weights().sqnrDecibels()), within(1.5));
    assertThat(measured).isGreaterThan(fits ? 17 : 38);
  }

  @Test
  void leave_int8_to_all_that_they_do_not_fit() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .indices("i", -1, 6)
            .constant("table", normal(1, 50 * 32, 1), 50, 32)
            .constant("w", normal(2, 32 * 16, 1), 32, 16)
            .constant("stack", normal(3, 4 * 16 * 8, 1), 1, 1, 16, 32)
            .node("Gather", "embedding", List.of("table", "i"), "e")
            .node("MatMul", "linear", List.of("e", "w"), "y")
            .node("MatMul", "stacked", List.of("y", "stack"), "z")
            .output("z");
    Path source = graph.write(folder);

    SavedModel saved =
        Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
            .with("kernel", "nbits")
            .run(source, folder.resolve("out"));

    assertThat(saved.report().modules())
        .extracting(module -> module.weights().granularity())
        .containsExactly(Granularity.axis(0), Granularity.group(32), Granularity.axis(3));
    assertThat(saved.report().modules().get(0).note()).contains("stored as int8");
    TensorBatch batch =
        new TensorBatch(Map.of("i", Tensor.ofLongs(new long[] {0, 1, 2, 3, 48, 49}, 1, 6)));
    assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch)).isGreaterThan(30);
  }
}
