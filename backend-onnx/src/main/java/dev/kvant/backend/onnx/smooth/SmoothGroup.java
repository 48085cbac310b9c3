package dev.kvant.backend.onnx.smooth;

import dev.kvant.api.Dtype;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.preprocess.Value;
import dev.kvant.backend.onnx.preprocess.ValueReaders;
import dev.kvant.backend.onnx.rewrite.BlockInputs;
import dev.kvant.backend.onnx.rewrite.BlockRewriter;
import dev.kvant.numerics.observer.ChannelStatistics;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.spi.CalibrationStatistics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * All products of quantized operands that read one tensor: they share its factors.
 *
 * @param activation the tensor, in the model's own graph
 * @param modules the products, {@code MatMul} or {@code Gemm} with a float32 matrix on the right
 *     that nothing else reads; at least one
 * @since 0.1.0
 */
public record SmoothGroup(Activation activation, List<Planned> modules) {

  public SmoothGroup {
    Objects.requireNonNull(activation, "activation");
    modules = List.copyOf(modules);
  }

  /**
   * The groups of a graph, in the order of their first products.
   *
   * @return none if the options leave activations as they are
   */
  public static List<SmoothGroup> of(PlannedGraph planned, OnnxOptions options) {
    if (!options.smooths()) {
      return List.of();
    }
    Map<String, List<Planned>> bySource = new LinkedHashMap<>();
    Map<String, Activation> activations = new HashMap<>();
    for (Planned module : planned.modules()) {
      if (module.graph() == planned.model().graph() && fits(module)) {
        module
            .input(options)
            .filter(activation -> activation.place().isEmpty())
            .ifPresent(
                activation -> {
                  activations.putIfAbsent(activation.name(), activation);
                  bySource
                      .computeIfAbsent(activation.name(), each -> new ArrayList<>())
                      .add(module);
                });
      }
    }
    Map<Value, Integer> readers = ValueReaders.count(planned.model());
    List<SmoothGroup> groups = new ArrayList<>();
    bySource.forEach(
        (source, modules) -> {
          if (areOwn(modules, readers)) {
            groups.add(new SmoothGroup(Objects.requireNonNull(activations.get(source)), modules));
          }
        });
    return List.copyOf(groups);
  }

  /**
   * The groups of products whose weights go into blocks after {@code awq}, in the order of their
   * first products.
   */
  public static List<SmoothGroup> ofBlocks(PlannedGraph planned, OnnxOptions options) {
    if (options.kernel() != OnnxOptions.Kernel.NBITS) {
      return List.of();
    }
    Map<Activation, List<Planned>> bySource = new LinkedHashMap<>();
    for (Planned module : planned.modules()) {
      if (module.graph() == planned.model().graph()
          && BlockRewriter.multiplies(module)
          && module.decision().weights().isQuantized()
          && BlockInputs.isAwq(module)) {
        BlockInputs.input(module)
            .ifPresent(
                input -> bySource.computeIfAbsent(input, each -> new ArrayList<>()).add(module));
      }
    }
    Map<Value, Integer> readers = ValueReaders.count(planned.model());
    List<SmoothGroup> groups = new ArrayList<>();
    bySource.forEach(
        (source, modules) -> {
          if (areOwn(modules, readers)) {
            groups.add(new SmoothGroup(source, modules));
          }
        });
    return List.copyOf(groups);
  }

  private static boolean fits(Planned module) {
    Node node = module.node();
    return (node.is("MatMul") || node.is("Gemm"))
        && module.weights().size() == 1
        && module.weight().input() == 1
        && module.weight().tensor().dims().size() == 2
        && module.type() == DataType.FLOAT
        && node.intAttribute("transA", 0) == 0
        && module.decision().weights().dtype().equals(Dtype.INT8)
        && module.decision().activations().dtype().equals(Dtype.INT8);
  }

  /** Whether nothing outside of the group reads the weights: it would read them changed. */
  private static boolean areOwn(List<Planned> modules, Map<Value, Integer> readers) {
    Map<Value, Integer> inside = new HashMap<>();
    modules.forEach(module -> inside.merge(weightValue(module), 1, Integer::sum));
    return inside.entrySet().stream()
        .allMatch(weight -> weight.getValue().equals(readers.get(weight.getKey())));
  }

  private static Value weightValue(Planned module) {
    return Objects.requireNonNull(
        Value.read(module.graph(), module.node().input(module.weight().input())));
  }

  /** The constant that a product reads. */
  static Initializer weight(Planned module) {
    return module.graph().constant(module.node().input(module.weight().input())).orElseThrow();
  }

  /** What was observed of the channels; empty if that does not fit the products. */
  Optional<ChannelStatistics> statistics(CalibrationStatistics all) {
    return all.tensor(activation.tensor())
        .flatMap(TensorStatistics::channels)
        .filter(channels -> channels.channels() == channels());
  }

  /** The number of channels that the products sum over. */
  int channels() {
    Planned first = modules.get(0);
    return Math.toIntExact(first.weight().tensor().dims().get(inputAxis(first)));
  }

  /** The axis of a weight that is summed over. */
  static int inputAxis(Planned module) {
    return 1 - module.weight().channelAxis();
  }
}
