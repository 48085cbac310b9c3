package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.runtime.OnnxRunnerProvider;
import dev.kvant.spi.ModelRunner;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * ONNX Runtime runs the source with its old operators and the artifact with new ones. Weights are
 * integers up to 127, so int8 holds them exactly, and what differs comes from operators alone.
 */
@DisplayName("A graph of an opset before 11")
class OldOpsetsTest {

  private static final int SIDE = 6;
  private static final TensorBatch IMAGES = Graphs.batch(7, 2, 3, SIDE, SIDE);

  @TempDir private Path folder;

  /** A graph whose {@code inner} becomes {@code y} by old operators. */
  private record Old(String name, long opset, UnaryOperator<TestGraph> add) {
    @Override
    public String toString() {
      return name + ", opset " + opset;
    }
  }

  private static Old old(
      long opset, String operator, List<String> more, AttributeProto... attributes) {
    List<String> inputs = new ArrayList<>(List.of("inner"));
    inputs.addAll(more);
    return new Old(
        operator, opset, graph -> graph.node(operator, "op", inputs, List.of("y"), attributes));
  }

  private static Old resized(long opset, String mode, float... scales) {
    String operator = opset < 10 ? "Upsample" : "Resize";
    float[] all = {1, 1, scales[0], scales[1]};
    AttributeProto named = attribute("mode", mode);
    return new Old(
        "%s %s by %s, %s".formatted(operator, mode, scales[0], scales[1]),
        opset,
        graph ->
            opset < 9
                ? graph.node(
                    operator, "op", List.of("inner"), List.of("y"), named, attribute("scales", all))
                : graph
                    .floats("scales", List.of(4L), all)
                    .node(operator, "op", List.of("inner", "scales"), List.of("y"), named));
  }

  static Stream<Old> graphs() {
    Stream<Old> resized =
        IntStream.range(7, 11)
            .boxed()
            .flatMap(
                opset ->
                    Stream.of(
                        resized(opset, "nearest", 2, 3),
                        resized(opset, "nearest", 1, 1.7f),
                        resized(opset, "linear", 2, 1.5f)));
    Stream<Old> others =
        IntStream.range(7, 11)
            .boxed()
            .flatMap(
                opset ->
                    Stream.of(
                        old(opset, "Clip", List.of(), attribute("min", -1.5f)),
                        old(opset, "Clip", List.of(), attribute("max", 2f)),
                        old(opset, "Clip", List.of(), attribute("min", 0f), attribute("max", 6f)),
                        old(opset, "Clip", List.of()),
                        old(
                            opset,
                            "Pad",
                            List.of(),
                            attribute("pads", List.of(0L, 0L, 1L, 0L, 0L, 0L, 2L, 1L))),
                        old(
                            opset,
                            "Pad",
                            List.of(),
                            attribute("pads", List.of(0L, 0L, 1L, 0L, 0L, 0L, 2L, 1L)),
                            attribute("value", 1.5f)),
                        old(
                            opset,
                            "Pad",
                            List.of(),
                            attribute("mode", "reflect"),
                            attribute("pads", List.of(0L, 0L, 1L, 0L, 0L, 0L, 2L, 1L))),
                        old(opset, "Softmax", List.of()),
                        old(opset, "Squeeze", List.of()),
                        new Old(
                            "Dropout",
                            opset,
                            graph ->
                                graph.node(
                                    "Dropout",
                                    "op",
                                    List.of("inner"),
                                    List.of("y", "mask"),
                                    attribute("ratio", 0.3f))),
                        new Old(
                            "BatchNormalization",
                            opset,
                            graph ->
                                graph
                                    .floats("scale", List.of(3L), 1, 2, 3)
                                    .floats("b", List.of(3L), -1, 0, 1)
                                    .floats("mean", List.of(3L), 0.5f, 0, 1)
                                    .floats("variance", List.of(3L), 1, 4, 9)
                                    .node(
                                        "BatchNormalization",
                                        List.of("inner", "scale", "b", "mean", "variance"),
                                        "y"))));
    Stream<Old> slices =
        IntStream.range(7, 10)
            .boxed()
            .flatMap(
                opset ->
                    Stream.of(
                        old(
                            opset,
                            "Slice",
                            List.of(),
                            attribute("starts", List.of(0L, 1L)),
                            attribute("ends", List.of(1L, 3L))),
                        old(
                            opset,
                            "Slice",
                            List.of(),
                            attribute("starts", List.of(-3L)),
                            attribute("ends", List.of(Long.MAX_VALUE)),
                            attribute("axes", List.of(3L))),
                        new Old(
                            "TopK",
                            opset,
                            graph ->
                                graph.node(
                                    "TopK",
                                    "op",
                                    List.of("inner"),
                                    List.of("y", "places"),
                                    attribute("k", 2)))));
    Stream<Old> alone =
        Stream.of(
            resized(10, "nearest", 0.5f, 0.4f),
            resized(10, "linear", 0.5f, 2),
            new Old(
                "BatchNormalization with spatial",
                8,
                graph ->
                    graph
                        .floats("scale", List.of(3L), 1, 2, 3)
                        .floats("b", List.of(3L), -1, 0, 1)
                        .floats("mean", List.of(3L), 0.5f, 0, 1)
                        .floats("variance", List.of(3L), 1, 4, 9)
                        .node(
                            "BatchNormalization",
                            List.of("inner", "scale", "b", "mean", "variance"),
                            "y",
                            attribute("spatial", 1))),
            new Old(
                "Scatter",
                9,
                graph ->
                    graph
                        .constant(
                            "places",
                            TestGraph.INT64,
                            List.of(1L, 1L, 1L, 2L),
                            ByteBuffer.allocate(16))
                        .floats("updates", List.of(1L, 1L, 1L, 2L), 50, 60)
                        .node(
                            "Scatter",
                            List.of("inner", "places", "updates"),
                            "y",
                            attribute("axis", 1))));
    return Stream.of(resized, others, slices, alone).flatMap(each -> each);
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void computes_the_same_when_it_was_raised(Old old) {
    for (long irVersion : new long[] {3, 4}) {
      Path source = old.add().apply(product(old.opset(), irVersion)).write(folder);

      Path quantized = quantized(source);

      assertThat(Graphs.nodes(quantized, "DequantizeLinear")).hasSize(1);
      assertThat(Graphs.opset(quantized)).isEqualTo(13);
      Tensor expected = run(source);
      Tensor actual = run(quantized);
      assertThat(actual.shape()).isEqualTo(expected.shape());
      assertThat(maximalDifference(expected, actual)).isLessThan(2e-3f);
    }
  }

  @Test
  void has_no_weights_among_its_inputs_when_it_was_raised() {
    Path source =
        old(9, "Clip", List.of(), attribute("min", 0f))
            .add()
            .apply(product(9, 3).input("w", SIDE, SIDE).input("unused", 2).random("unused", 2))
            .write(folder);

    Path quantized = quantized(source);

    try (OnnxFile file = OnnxFile.open(quantized)) {
      assertThat(file.load().graph().inputs())
          .extracting(input -> input.getName())
          .containsExactly("x");
    }
  }

  @Test
  void of_float16_gets_bounds_of_float16() {
    Path source =
        new TestGraph()
            .opset(9)
            .input("x", 2, 3, SIDE, SIDE)
            .output("y", 2, 3, SIDE, SIDE)
            .floats("w", List.of((long) SIDE, (long) SIDE), weights())
            .node("MatMul", List.of("x", "w"), "product")
            .node("Cast", List.of("product"), "half", attribute("to", 10))
            .node("Clip", List.of("half"), "cut", attribute("min", -2f), attribute("max", 1.5f))
            .node("Cast", List.of("cut"), "y", attribute("to", 1))
            .write(folder);

    assertThat(maximalDifference(run(source), run(quantized(source)))).isLessThan(2e-3f);
  }

  /** Graphs that cannot be raised, and why. */
  static Stream<Refused> refused() {
    return Stream.of(
        new Refused(
            new Old(
                "BatchNormalization",
                7,
                graph ->
                    graph.node(
                        "BatchNormalization",
                        List.of("inner", "w", "w", "w", "w"),
                        "y",
                        attribute("spatial", 0))),
            "it normalizes each place alone (spatial=0), which was removed"),
        new Refused(
            resized(10, "nearest", 2, 0.5f),
            "it enlarges one axis and reduces another, which round differently"),
        new Refused(
            new Old(
                "Resize",
                10,
                graph ->
                    graph
                        .node("Shape", List.of("inner"), "shape")
                        .node("Cast", List.of("shape"), "scales", attribute("to", 1))
                        .node("Resize", List.of("inner", "scales"), "y")),
            "its scales are computed, and how it rounds depends on them"),
        new Refused(old(7, "ImageScaler", List.of()), "it was experimental and was removed"),
        new Refused(
            old(8, "Scan", List.of()), "its first axis was that of the batch, which was changed"),
        new Refused(
            new Old(
                "Dropout",
                9,
                graph ->
                    graph
                        .node("Dropout", "op", List.of("inner"), List.of("kept", "mask"))
                        .node("Mul", List.of("kept", "mask"), "y")),
            "its mask is read, which was a number and became a truth value"));
  }

  private record Refused(Old old, String why) {}

  @ParameterizedTest
  @MethodSource("refused")
  void is_refused_with_the_operator_that_has_no_counterpart(Refused refused) {
    Path source = refused.old().add().apply(product(refused.old().opset(), 4)).write(folder);

    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> quantized(source))
        .withMessageContaining(
            "cannot be raised from opset %d to 11: %s"
                .formatted(refused.old().opset(), refused.old().name().replaceFirst(" .*", "")))
        .withMessageContaining(refused.why())
        .withMessageEndingWith("export the model anew with opset 11");
  }

  private static TestGraph product(long opset, long irVersion) {
    TestGraph graph =
        new TestGraph()
            .opset(opset)
            .irVersion(irVersion)
            .input("x", 2, 3, SIDE, SIDE)
            .output("y", -1, -1, -1, -1)
            .floats("w", List.of((long) SIDE, (long) SIDE), weights());
    return graph.node("MatMul", List.of("x", "w"), "inner");
  }

  private static float[] weights() {
    float[] weights = new float[SIDE * SIDE];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = i < SIDE ? 127 : (i * 37) % 255 - 127;
    }
    return weights;
  }

  private Path quantized(Path source) {
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
        .run(source, folder.resolve("quantized"))
        .artifacts()
        .get(0)
        .path();
  }

  /** Node by node: with optimizations ONNX Runtime rounds inputs where weights are 8-bit codes. */
  private static Tensor run(Path model) {
    try (ModelRunner runner =
        new OnnxRunnerProvider().openUnoptimized(model, Device.CPU).orElseThrow()) {
      Map<String, Tensor> outputs = runner.run(IMAGES);
      return Objects.requireNonNull(outputs.get("y"));
    }
  }

  private static float maximalDifference(Tensor expected, Tensor actual) {
    float[] some = expected.toFloats();
    float[] others = actual.toFloats();
    float largest = 0;
    for (int i = 0; i < some.length; i++) {
      largest = Math.max(largest, Math.abs(some[i] - others[i]));
    }
    return largest;
  }
}
