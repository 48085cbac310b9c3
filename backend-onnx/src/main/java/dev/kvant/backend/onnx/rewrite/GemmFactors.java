package dev.kvant.backend.onnx.rewrite;

import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves the factors of a {@code Gemm} behind it: {@code alpha (A B) + beta C} is computed as a
 * product without factors and bias, {@code Mul} and {@code Add}. The product can then be one of
 * integers. ONNX Runtime 1.23 ignores {@code alpha} where it quantizes a bias by itself.
 */
final class GemmFactors {

  private static final int BIAS_INPUT = 2;

  private GemmFactors() {}

  /** Does it to a node of float32 that is a {@code Gemm} with factors, and to no other. */
  static void moveBehind(OnnxModel model, Planned module) {
    Node node = module.node();
    if (!node.is("Gemm") || module.type() != DataType.FLOAT) {
      return;
    }
    float alpha = node.floatAttribute("alpha", 1);
    float beta = node.floatAttribute("beta", 1);
    String bias = node.input(BIAS_INPUT);
    if (alpha == 1 && (beta == 1 || bias.isEmpty())) {
      return;
    }
    node.removeAttribute("alpha");
    node.removeAttribute("beta");
    String output = node.outputs().get(0);
    String product = model.freshName(output + "_without_factors");
    node.outputs().set(0, product);
    List<Node> added = new ArrayList<>();
    String scaled = bias.isEmpty() ? output : model.freshName(output + "_without_bias");
    added.add(times(model, product, alpha, scaled));
    if (!bias.isEmpty()) {
      node.inputs().remove(BIAS_INPUT);
      String weighted = model.freshName(bias + "_times_beta");
      added.add(times(model, bias, beta, weighted));
      added.add(
          Node.create(
              model.freshName(output + "_Add"), "Add", List.of(scaled, weighted), List.of(output)));
    }
    module.graph().insertAfter(product, added);
  }

  private static Node times(OnnxModel model, String value, float factor, String output) {
    String constant = model.freshName(output + "_factor");
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(factor).flip();
    model
        .graph()
        .initializers()
        .put(constant, Initializer.of(StoredTensor.of(constant, DataType.FLOAT, List.of(), bytes)));
    return Node.create(
        model.freshName(output + "_Mul"), "Mul", List.of(value, constant), List.of(output));
  }
}
