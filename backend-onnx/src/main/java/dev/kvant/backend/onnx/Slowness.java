package dev.kvant.backend.onnx;

import dev.kvant.api.QuantizationWarning;
import dev.kvant.backend.onnx.placement.Placement;
import dev.kvant.backend.onnx.placement.Placement.Estimate;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.rewrite.BlockRewriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Finds out where a quantized graph is slower on a CPU than its original, and what is faster. */
final class Slowness {

  private static final Set<String> MATRICES = Set.of("MatMul", "Gemm");

  private Slowness() {}

  /**
   * Warnings about the speed of a graph that is not rewritten yet.
   *
   * @param placement where it computes with codes; empty if no regions are chosen
   */
  static List<QuantizationWarning> warnings(
      PlannedGraph planned, OnnxOptions options, Optional<Placement> placement) {
    if (placement.isPresent()) {
      return ofEstimate(placement.get().estimate());
    }
    boolean areWeightsAlone =
        planned.modules().stream()
            .noneMatch(module -> module.decision().activations().isQuantized());
    return areWeightsAlone ? ofWeightsAlone(planned, options) : List.of();
  }

  private static List<QuantizationWarning> ofEstimate(Estimate estimate) {
    if (!estimate.isSlower()) {
      return List.of();
    }
    return List.of(
        warning(
            String.format(
                Locale.ROOT,
                "by the table of kernel costs this graph has %.2f of the speed of float32 on a CPU:"
                    + " quantizing costs its operators more time than int8 saves; if size matters"
                    + " more than speed, use weight_only_ptq, which is as slow but more accurate;"
                    + " otherwise keep float32",
                estimate.speed()),
            List.of()));
  }

  /** Weights behind DequantizeLinear are restored in every run, except for the rows of a table. */
  private static List<QuantizationWarning> ofWeightsAlone(
      PlannedGraph planned, OnnxOptions options) {
    boolean hasBlocks = options.kernel() == OnnxOptions.Kernel.NBITS;
    List<Planned> restored =
        planned.modules().stream()
            .filter(module -> !module.node().is("Gather"))
            .filter(module -> !hasBlocks || !BlockRewriter.multiplies(module))
            .toList();
    if (restored.isEmpty()) {
      return List.of();
    }
    List<String> faster = new ArrayList<>();
    if (any(restored, MATRICES::contains)) {
      faster.add(
          "for MatMul and Gemm, %sdynamic_ptq and static_ptq are faster"
              .formatted(hasBlocks ? "" : "kernel: nbits, "));
    }
    if (any(restored, operator -> operator.startsWith("Conv"))) {
      faster.add("for convolutions, static_ptq is faster");
    }
    if (any(restored, OnnxBackend.RECURRENT::contains)) {
      faster.add("for LSTM, GRU and RNN, only float32 is faster");
    }
    return List.of(
        warning(
            "on a CPU ONNX Runtime restores weights behind DequantizeLinear in each run (from 1.26"
                + " on not those of MatMul), so this graph is smaller than in float32 but slower; "
                + String.join("; ", faster),
            restored.stream().map(Planned::name).toList()));
  }

  private static boolean any(List<Planned> modules, Predicate<String> operators) {
    return modules.stream().anyMatch(module -> operators.test(module.node().opType()));
  }

  private static QuantizationWarning warning(String message, List<String> modules) {
    return new QuantizationWarning(QuantizationWarning.Kind.OTHER, message, null, modules);
  }
}
