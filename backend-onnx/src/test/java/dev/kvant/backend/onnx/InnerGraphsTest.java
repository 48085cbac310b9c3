package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("A product in the body of a Loop, or behind a single value,")
class InnerGraphsTest {

  private static final int BOOL = 9;
  private static final TensorBatch ROWS = Graphs.batch(1, 16, 8);

  @TempDir private Path folder;

  /** Where the weight of the product is. */
  private enum Place {
    AROUND,
    INSIDE,
    COPIED_AROUND,
    COPIED_INSIDE,
    IN_A_CONSTANT_INSIDE,
    BESIDE_NAMES_THAT_QUANTIZATION_MAKES
  }

  static Stream<Arguments> places() {
    return Stream.of(Place.values())
        .flatMap(place -> modes().map(mode -> Arguments.of(place, mode)));
  }

  @ParameterizedTest
  @MethodSource("places")
  void is_quantized_and_stays_right(Place place, QuantizationMode mode) {
    Path source = loop(place).write(folder);

    SavedModel saved = quantization(mode, ROWS).run(source, folder.resolve("out"));

    assertThat(saved.report().modules()).hasSize(1);
    assertThat(saved.report().modules().get(0).weights().isQuantized()).isTrue();
    assertThat(saved.report().modules().get(0).activations().isQuantized())
        .isEqualTo(!mode.equals(QuantizationMode.WEIGHT_ONLY_PTQ));
    assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), ROWS)).isGreaterThan(30);
  }

  /** The rows go through {@code tanh(v w) + b} four times. */
  private static TestGraph loop(Place place) {
    TestGraph body =
        new TestGraph().inputOf(TestGraph.INT64, "i").inputOf(BOOL, "go_on").input("v", -1, 8);
    TestGraph graph = new TestGraph().input("x", -1, 8).output("y", -1, 8);
    graph.constant("trips", TestGraph.INT64, List.of(), number(4));
    graph.constant("go", BOOL, List.of(), ByteBuffer.wrap(new byte[] {1}));
    String weight = "w";
    switch (place) {
      case AROUND -> graph.random("w", 0.5, 8, 8);
      case INSIDE -> body.random("w", 0.5, 8, 8);
      case COPIED_AROUND -> {
        graph.random("w", 0.5, 8, 8).node("Identity", List.of("w"), "copy");
        weight = "copy";
      }
      case COPIED_INSIDE -> {
        graph.random("w", 0.5, 8, 8);
        body.node("Identity", List.of("w"), "copy");
        weight = "copy";
      }
      case IN_A_CONSTANT_INSIDE -> {
        body.random("stored", 0.5, 8, 8).node("Transpose", List.of("stored"), "w");
      }
      case BESIDE_NAMES_THAT_QUANTIZATION_MAKES -> {
        graph.random("w", 0.5, 8, 8).random("w_quantized", 0.1, 8).random("v_quantized", 0.1, 8);
        body.random("w_scale", 0.1, 8)
            .random("w_zero_point", 0.1, 8)
            .node("Add", List.of("w_quantized", "w_scale"), "w_DequantizeLinear_Output")
            .node("Add", List.of("w_DequantizeLinear_Output", "w_zero_point"), "v_scale")
            .node("Add", List.of("v_scale", "v_quantized"), "more");
      }
    }
    body.random("b", 0.1, 8)
        .node("MatMul", "product", List.of("v", weight), List.of("sums"))
        .node("Tanh", List.of("sums"), "cut")
        .node("Add", List.of("cut", "b"), "added");
    if (place == Place.BESIDE_NAMES_THAT_QUANTIZATION_MAKES) {
      body.node("Add", List.of("added", "more"), "next");
    } else {
      body.node("Identity", List.of("added"), "next");
    }
    body.node("Identity", List.of("go_on"), "again").outputOf(BOOL, "again").output("next", -1, 8);
    return graph.node("Loop", List.of("trips", "go", "x"), "y", attribute("body", body));
  }

  static Stream<QuantizationMode> modes() {
    return Stream.of(
        QuantizationMode.WEIGHT_ONLY_PTQ,
        QuantizationMode.STATIC_PTQ,
        QuantizationMode.DYNAMIC_PTQ);
  }

  @ParameterizedTest
  @MethodSource("modes")
  void is_quantized_where_a_model_has_single_values_as_inputs(QuantizationMode mode) {
    Path source =
        new TestGraph()
            .input("x", -1, 8)
            .input("factor")
            .inputOf(TestGraph.INT64, "axis")
            .output("y", -1, 8)
            .random("w", 0.5, 8, 8)
            .node("Mul", List.of("x", "factor"), "scaled")
            .node("CumSum", List.of("scaled", "axis"), "sums")
            .node("MatMul", List.of("sums", "w"), "y")
            .write(folder);
    Map<String, Tensor> inputs = new LinkedHashMap<>(ROWS.inputs());
    inputs.put("factor", Tensor.ofFloats(new float[] {0.5f}));
    inputs.put("axis", Tensor.ofLongs(new long[] {1}));
    TensorBatch batch = new TensorBatch(inputs);

    SavedModel saved = quantization(mode, batch).run(source, folder.resolve("out"));

    assertThat(saved.report().modules().get(0).weights().isQuantized()).isTrue();
    assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch)).isGreaterThan(30);
  }

  private static Quantization quantization(QuantizationMode mode, TensorBatch data) {
    if (mode.equals(QuantizationMode.WEIGHT_ONLY_PTQ)) {
      return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8));
    }
    return mode.equals(QuantizationMode.STATIC_PTQ)
        ? Quantization.staticOf(module -> Plans.Wish.both(Dtype.INT8), Graphs.data(data))
        : Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8));
  }

  private static ByteBuffer number(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
  }
}
