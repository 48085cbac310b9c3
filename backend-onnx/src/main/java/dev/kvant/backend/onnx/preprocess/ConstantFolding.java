package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModules;
import dev.kvant.onnx.graph.StoredTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Stores what nodes compute from constants alone in place of these nodes, so that weights which are
 * transposed or otherwise made in the graph become constants themselves.
 *
 * <p>Nothing is stored that takes more room than what it is made of: what a node takes as it is
 * follows from the constants that only it needs, each at the size that it will be written with.
 */
final class ConstantFolding {

  /** What a name, a type and a shape take in a file; smaller differences do not count. */
  private static final long SLACK = 1024;

  private final ComputedConstants computation;

  private ConstantFolding(ComputedConstants computation) {
    this.computation = computation;
  }

  /** Computes what can be folded in a model, which stays as it is. */
  static ConstantFolding of(OnnxModel model) {
    return new ConstantFolding(ConstantComputation.of(model));
  }

  /** The tensor of a value that nodes compute from constants alone, whether it is folded or not. */
  Optional<StoredTensor> tensor(Graph graph, String value) {
    return computation.tensor(new Value(graph.place(), value));
  }

  /**
   * Folds what comes out smaller.
   *
   * @param model a copy of the model that was computed
   * @param isQuantized whether the weights of a node will be quantized
   */
  void apply(OnnxModel model, Predicate<Node> isQuantized) {
    if (computation.isEmpty()) {
      return;
    }
    new Folder(model, isQuantized).fold();
    UnusedConstants.remove(model);
  }

  private static boolean isWeight(Node node, StoredTensor tensor) {
    return tensor.type().floatType().isPresent()
        && OnnxModules.isWeight(node, tensor.dims().size());
  }

  /** How a constant is read. */
  private static final class Use {

    /** Reads by nodes that stay and need it as it is, or by the outputs of a graph. */
    private int plain;

    /** Reads as a weight that will be quantized, by nodes that stay. */
    private int quantized;

    /** Reads by nodes that might be folded. */
    private int foldable;
  }

  /** Folds one copy of the model. */
  private final class Folder {

    private final Predicate<Node> isQuantized;
    private final List<Graph> graphs;
    private final Map<Value, Use> uses = new HashMap<>();

    /** The least that each value takes, whichever way it is written. */
    private final Map<Value, Double> sizes = new HashMap<>();

    private final Set<Node> folded = new HashSet<>();

    Folder(OnnxModel model, Predicate<Node> isQuantized) {
      this.isQuantized = isQuantized;
      this.graphs = model.graph().all();
    }

    void fold() {
      graphs.forEach(this::count);
      graphs.forEach(this::decide);
      Map<Value, Graph> stored = new LinkedHashMap<>();
      Map<Graph, Set<Node>> vanishing = new HashMap<>();
      Set<Node> needed = needed();
      for (Graph graph : graphs) {
        Set<Node> gone = new HashSet<>();
        for (Node node : graph.nodes()) {
          if (computation.isComputed(graph, node) && !needed.contains(node)) {
            gone.add(node);
          } else {
            node.inputs().forEach(input -> store(graph, input, stored));
          }
        }
        graph.outputs().forEach(output -> store(graph, output.getName(), stored));
        vanishing.put(graph, gone);
      }
      vanishing.forEach(Graph::removeNodes);
      stored.forEach(
          (value, graph) ->
              computation
                  .tensor(value)
                  .map(tensor -> Initializer.of(tensor.renamed(value.name())))
                  .ifPresent(constant -> graph.initializers().put(value.name(), constant)));
    }

    private void store(Graph graph, String name, Map<Value, Graph> stored) {
      Graph home = name.isEmpty() ? null : graph.home(name);
      Node producer = home == null ? null : home.producer(name);
      if (home != null && producer != null && folded.contains(producer)) {
        stored.putIfAbsent(new Value(home.place(), name), home);
      }
    }

    private void count(Graph graph) {
      for (Node node : graph.nodes()) {
        boolean isFoldable = computation.isComputed(graph, node);
        Set<String> weights = isFoldable ? Set.of() : quantizedWeights(graph, node);
        for (String input : node.inputs()) {
          Use use = use(graph, input);
          if (use == null) {
            continue;
          }
          if (isFoldable) {
            use.foldable++;
          } else if (weights.contains(input)) {
            use.quantized++;
          } else {
            use.plain++;
          }
        }
      }
      graph
          .outputs()
          .forEach(
              output -> {
                Use use = use(graph, output.getName());
                if (use != null) {
                  use.plain++;
                }
              });
    }

    private @Nullable Use use(Graph graph, String name) {
      Value value = Value.read(graph, name);
      return value == null ? null : uses.computeIfAbsent(value, key -> new Use());
    }

    /** The inputs of a node whose codes will be stored. */
    private Set<String> quantizedWeights(Graph graph, Node node) {
      Set<String> names = new HashSet<>();
      if (isQuantized.test(node)) {
        for (int input : OnnxModules.weightInputs(node)) {
          String name = node.input(input);
          boolean isWeight =
              constant(graph, name).filter(tensor -> isWeight(node, tensor)).isPresent();
          if (isWeight && (names.isEmpty() || OnnxModules.isRecurrent(node))) {
            names.add(name);
          }
        }
      }
      return names;
    }

    private Optional<StoredTensor> constant(Graph graph, String name) {
      Optional<StoredTensor> stored = graph.constant(name).flatMap(Initializer::tensor);
      Value value = stored.isPresent() ? null : Value.read(graph, name);
      return value == null ? stored : computation.tensor(value);
    }

    /** Decides which nodes of a graph are folded; nodes come after those that they read of. */
    private void decide(Graph graph) {
      for (Node node : graph.nodes()) {
        if (!computation.isComputed(graph, node)) {
          continue;
        }
        double asNodes = asNodes(graph, node);
        OptionalSize stored = asConstants(graph, node);
        boolean isFolded = stored.isPossible && stored.bytes <= asNodes + SLACK;
        if (isFolded) {
          folded.add(node);
        }
        double least = stored.isPossible ? Math.min((double) stored.bytes, asNodes) : asNodes;
        int outputs = Math.max(1, node.outputs().size());
        for (String output : node.outputs()) {
          sizes.put(new Value(graph.place(), output), least / outputs);
        }
      }
    }

    /** What a node takes as it is: the constants that would be gone without it. */
    private double asNodes(Graph graph, Node node) {
      double bytes = 0;
      Set<String> weights = quantizedWeights(graph, node);
      for (String input : new HashSet<>(node.inputs())) {
        Value value = Value.read(graph, input);
        Use use = value == null ? null : uses.get(value);
        if (value == null || use == null) {
          continue;
        }
        Double computed = sizes.get(value);
        if (computed != null) {
          bytes += computed / Math.max(1, use.foldable);
        } else if (use.plain == 0) {
          Optional<StoredTensor> constant = graph.constant(input).flatMap(Initializer::tensor);
          boolean isQuantizedHere = weights.contains(input);
          bytes +=
              constant.map(tensor -> (double) size(tensor, isQuantizedHere)).orElse(0.0)
                  / Math.max(1, use.foldable);
        }
      }
      return bytes;
    }

    private static long size(StoredTensor tensor, boolean isQuantized) {
      return isQuantized ? tensor.elements() : tensor.content().bytes();
    }

    /**
     * What a node takes that is folded.
     *
     * @param isPossible whether it can be
     * @param bytes what its outputs take
     */
    private record OptionalSize(boolean isPossible, long bytes) {}

    private OptionalSize asConstants(Graph graph, Node node) {
      long bytes = 0;
      boolean isRead = false;
      boolean isWeight = false;
      for (String output : node.outputs()) {
        Value value = new Value(graph.place(), output);
        Use use = uses.get(value);
        if (output.isEmpty() || use == null) {
          continue;
        }
        Optional<StoredTensor> tensor = computation.tensor(value);
        if (tensor.isEmpty()) {
          return new OptionalSize(false, 0);
        }
        isRead |= use.plain + use.quantized > 0;
        isWeight |= use.quantized > 0;
        if (use.plain > 0 || use.quantized == 0) {
          bytes += tensor.get().content().bytes();
        }
        if (use.quantized > 0) {
          bytes += tensor.get().elements();
        }
      }
      boolean isWorthIt = isWeight || !computation.isExpanded(graph, node);
      return new OptionalSize(isRead && isWorthIt, bytes);
    }

    /** The computed nodes that stay, since something that stays reads of them. */
    private Set<Node> needed() {
      Set<Node> needed = new HashSet<>();
      List<Read> waiting = new ArrayList<>();
      for (Graph graph : graphs) {
        for (Node node : graph.nodes()) {
          if (!computation.isComputed(graph, node)) {
            node.inputs().forEach(input -> waiting.add(new Read(graph, input)));
          }
        }
        graph.outputs().forEach(output -> waiting.add(new Read(graph, output.getName())));
      }
      while (!waiting.isEmpty()) {
        Read read = waiting.remove(waiting.size() - 1);
        Graph home = read.name().isEmpty() ? null : read.graph().home(read.name());
        Node producer = home == null ? null : home.producer(read.name());
        if (home != null
            && producer != null
            && computation.isComputed(home, producer)
            && !folded.contains(producer)
            && needed.add(producer)) {
          producer.inputs().forEach(input -> waiting.add(new Read(home, input)));
        }
      }
      return needed;
    }
  }

  private record Read(Graph graph, String name) {}
}
