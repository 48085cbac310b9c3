package dev.kvant.backend.onnx.rewrite;

import dev.kvant.backend.onnx.placement.Reader;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.QuantizedActivation;
import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.Float16;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Quantizes tensors in the middle of a graph and restores them at once, so that those who read them
 * can compute with the codes. Tensors with the same setting share a pair of operators.
 */
final class ActivationRewriter {

  private static final long OPSET_WITHOUT_KERNEL = 23;

  /** Below it rounding a scale to float16 moves the ends of a range by more than a quarter code. */
  private static final float SMALLEST_FLOAT16_SCALE = 0x1p-16f;

  private final OnnxModel model;
  private final OnnxOptions options;
  private final Map<Activation, String> restored = new HashMap<>();

  ActivationRewriter(OnnxModel model, OnnxOptions options) {
    this.model = model;
    this.options = options;
  }

  /** Lets all that read a tensor, or some of them, read it quantized. */
  void rewrite(QuantizedActivation quantized, AffineStep step) {
    Activation activation = quantized.activation();
    if (quantized.isForAll()) {
      rewriteOutput(activation, step, quantized.home());
      return;
    }
    for (Reader reader : quantized.readers()) {
      String value =
          restored.computeIfAbsent(
              activation,
              each -> {
                String output = model.freshName(each.name() + "_DequantizeLinear_Output");
                quantized.home().insertAfter(each.name(), pair(each, step, each.name(), output));
                return output;
              });
      reader.node().inputs().set(reader.input(), value);
    }
  }

  private void rewriteOutput(Activation activation, AffineStep step, Graph graph) {
    String output = activation.name();
    Node writer = Objects.requireNonNull(graph.producer(output), output);
    String before = model.freshName(output + "_QuantizeLinear_Input");
    writer.outputs().set(writer.outputs().indexOf(output), before);
    graph.insertAfter(before, pair(activation, step, before, output));
    restored.put(activation, output);
  }

  private List<Node> pair(Activation activation, AffineStep step, String input, String output) {
    String name = activation.name();
    if (activation.type() != DataType.FLOAT16 || step.scale() >= SMALLEST_FLOAT16_SCALE) {
      return pair(activation, activation.type(), step, input, output);
    }
    String wide = model.freshName(name + "_float32");
    String restored = model.freshName(name + "_float32_quantized");
    List<Node> nodes = new ArrayList<>();
    nodes.add(cast(name, input, DataType.FLOAT, wide));
    nodes.addAll(pair(activation, DataType.FLOAT, step, wide, restored));
    nodes.add(cast(name, restored, activation.type(), output));
    return nodes;
  }

  private List<Node> pair(
      Activation activation, DataType type, AffineStep step, String input, String output) {
    DataType codes = dataType(activation.setting().grid());
    String scale = addScale(activation.name(), type, step.scale());
    boolean isFloat8 = codes == DataType.FLOAT8E4M3FN || codes == DataType.FLOAT8E5M2;
    return isFloat8 && options.target() == OnnxOptions.Target.CPU
        ? casts(activation.name(), type, codes, scale, input, output)
        : pair(activation, codes, scale, step.zeroPoint(), input, output);
  }

  private Node cast(String name, String input, DataType type, String output) {
    return Node.create(model.freshName(name + "_Cast"), "Cast", List.of(input), List.of(output))
        .with("to", type.number());
  }

  private List<Node> pair(
      Activation activation,
      DataType codes,
      String scale,
      int zeroPointValue,
      String input,
      String output) {
    String name = activation.name();
    String zeroPoint = model.freshName(name + "_zero_point");
    add(
        StoredTensor.of(
            zeroPoint, codes, List.of(), ByteBuffer.wrap(new byte[] {(byte) zeroPointValue})));
    String quantized = model.freshName(name + "_QuantizeLinear_Output");
    return List.of(
        Node.create(
            model.freshName(name + "_QuantizeLinear"),
            quantizerDomain(),
            "QuantizeLinear",
            List.of(input, scale, zeroPoint),
            List.of(quantized)),
        Node.create(
            model.freshName(name + "_DequantizeLinear"),
            "DequantizeLinear",
            List.of(quantized, scale, zeroPoint),
            List.of(output)));
  }

  /**
   * Whose operator quantizes. ONNX Runtime 1.23 has no kernel of its processor for the one of opset
   * 23, but one of its own that does the same.
   */
  private String quantizerDomain() {
    if (options.target() == OnnxOptions.Target.TENSORRT
        || model.opset("").orElse(0) < OPSET_WITHOUT_KERNEL) {
      return "";
    }
    model.setOpset(BlockRewriter.DOMAIN, 1);
    return BlockRewriter.DOMAIN;
  }

  /**
   * What a pair of float8 does, spelled out. ONNX Runtime 1.23 fuses such a pair around a product,
   * and then has no kernel for it; and it takes the zero point for that of unsigned integers, which
   * makes it drop a {@code Relu} before {@code QuantizeLinear}.
   */
  private List<Node> casts(
      String name, DataType type, DataType codes, String scale, String input, String output) {
    String scaled = model.freshName(name + "_Div_Output");
    String quantized = model.freshName(name + "_Cast_Output");
    String values = model.freshName(name + "_Cast_back_Output");
    return List.of(
        Node.create(model.freshName(name + "_Div"), "Div", List.of(input, scale), List.of(scaled)),
        cast(name, scaled, codes, quantized),
        cast(name, quantized, type, values),
        Node.create(
            model.freshName(name + "_Mul"), "Mul", List.of(values, scale), List.of(output)));
  }

  private static DataType dataType(Grid grid) {
    return switch (grid) {
      case UINT8_ASYMMETRIC -> DataType.UINT8;
      case INT8_SYMMETRIC -> DataType.INT8;
      case FLOAT8_E4M3FN -> DataType.FLOAT8E4M3FN;
      case FLOAT8_E5M2 -> DataType.FLOAT8E5M2;
    };
  }

  private String addScale(String tensor, DataType type, float value) {
    String name = model.freshName(tensor + "_scale");
    ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(1)).order(ByteOrder.LITTLE_ENDIAN);
    switch (type) {
      case FLOAT16 -> bytes.putShort(Float16.fromFloat(value));
      case BFLOAT16 -> bytes.putShort(BFloat16.fromFloat(value));
      default -> bytes.putFloat(value);
    }
    add(StoredTensor.of(name, type, List.of(), bytes.flip()));
    return name;
  }

  private void add(StoredTensor tensor) {
    model.graph().initializers().put(tensor.name(), Initializer.of(tensor));
  }
}
