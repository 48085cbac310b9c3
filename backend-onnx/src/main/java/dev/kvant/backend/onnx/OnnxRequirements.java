package dev.kvant.backend.onnx;

import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Requirement;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.rewrite.BlockRewriter;
import dev.kvant.kit.Requirements;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/** What a written graph requires of ONNX Runtime and of the CPU. */
final class OnnxRequirements {

  private static final String RUNTIME = "ONNX Runtime";

  /** The oldest version that graphs were tried with. */
  private static final String OLDEST = "1.19.2";

  private static final String BLOCKS_OF_8_BITS = "1.22";
  private static final String TABLES_IN_BLOCKS = "1.23";
  private static final int EIGHT_BITS = 8;

  /** The first versions that load an opset that high, tried with 1.19.2 to 1.23.2. */
  private static final NavigableMap<Long, String> BY_OPSET =
      new TreeMap<>(Map.of(0L, OLDEST, 22L, "1.21", 23L, "1.23"));

  /** The first versions that load a version of the format that high. */
  private static final NavigableMap<Long, String> BY_IR =
      new TreeMap<>(Map.of(0L, OLDEST, 11L, "1.23"));

  private static final Set<Dtype> FLOAT8 = Set.of(Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private OnnxRequirements() {}

  /**
   * The requirements of a graph.
   *
   * @param graph as it is written
   */
  static List<Requirement> of(OnnxModel graph, OnnxOptions options, QuantizationPlan plan) {
    var all = new Requirements();
    long opset = graph.opset("").orElse(0);
    all.version(RUNTIME, BY_OPSET.floorEntry(opset).getValue(), "opset " + opset);
    all.version(
        RUNTIME,
        BY_IR.floorEntry(Math.max(0, graph.irVersion())).getValue(),
        "version %d of the ONNX format".formatted(graph.irVersion()));
    if (has(graph, BlockRewriter.PRODUCT, node -> node.intAttribute("bits", 0) == EIGHT_BITS)) {
      all.version(RUNTIME, BLOCKS_OF_8_BITS, "MatMulNBits with 8 bits");
    }
    if (has(graph, BlockRewriter.LOOK_UP, node -> true)) {
      all.version(RUNTIME, TABLES_IN_BLOCKS, "GatherBlockQuantized of uint8");
    }
    if (options.target() == OnnxOptions.Target.TENSORRT && quantizesToFloat8(plan)) {
      all.add(
          new Requirement(
              "TensorRT", "needed", "ONNX Runtime has no float8 kernels for CPUs in any version"));
    }
    CodeOverflow.requirements(options, plan).forEach(all::add);
    return all.build();
  }

  private static boolean has(OnnxModel model, String operator, Predicate<Node> which) {
    return model.graph().all().stream()
        .map(Graph::nodes)
        .flatMap(List::stream)
        .anyMatch(
            node ->
                node.domain().equals(BlockRewriter.DOMAIN)
                    && node.opType().equals(operator)
                    && which.test(node));
  }

  private static boolean quantizesToFloat8(QuantizationPlan plan) {
    return plan.quantized().stream()
        .anyMatch(
            module ->
                FLOAT8.contains(module.weights().dtype())
                    || FLOAT8.contains(module.activations().dtype()));
  }
}
