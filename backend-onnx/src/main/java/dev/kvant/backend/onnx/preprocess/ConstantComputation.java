package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnavailableException;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModules;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.runtime.RuntimeSession;
import dev.kvant.onnx.runtime.RuntimeSessions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes the values of a model that depend on constants alone, in inner graphs too. ONNX Runtime
 * does the computing, node by node; nodes whose inputs are known form a small model of their own.
 *
 * <p>Nothing is computed whose cost is not known before, or that would exceed the budget: so a
 * small file takes neither much memory nor much time.
 */
final class ConstantComputation {

  /** How many bytes more than their inputs all values together may have, in any model. */
  private static final long MOST_GROWTH = 64L << 20;

  /** How many bytes more they may have for each byte of the constants of the model. */
  private static final long GROWTH_PER_BYTE = 4;

  /** How much work there may be in any model. */
  private static final long MOST_WORK = 1L << 32;

  /** How much work there may be for each byte of the constants of the model. */
  private static final long WORK_PER_BYTE = 16;

  /** How long a chain of nodes may be. */
  private static final int MOST_ROUNDS = 256;

  /** How many nodes are tried alone after ONNX Runtime refused them together. */
  private static final int MOST_TRIALS = 64;

  /** Operators that compute what is not the same in every run, or that stand for quantization. */
  private static final Set<String> LEFT_ALONE =
      Set.of("Constant", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Dropout");

  /** A node that depends on constants alone. */
  private record Candidate(Graph graph, Node node) {

    private List<Value> outputs() {
      return node.outputs().stream()
          .filter(output -> !output.isEmpty())
          .map(output -> new Value(graph.place(), output))
          .toList();
    }
  }

  private final OnnxModel model;
  private final Map<Value, StoredTensor> tensors = new HashMap<>();
  private final Set<Value> computed = new HashSet<>();
  private final Set<Value> expanded = new HashSet<>();
  private long growthLeft;
  private long workLeft;
  private int trialsLeft = MOST_TRIALS;

  private ConstantComputation(OnnxModel model) {
    this.model = model;
    long bytes = constantBytes(model);
    this.growthLeft = MOST_GROWTH + GROWTH_PER_BYTE * bytes;
    this.workLeft = MOST_WORK + WORK_PER_BYTE * bytes;
  }

  private static long constantBytes(OnnxModel model) {
    return model.graph().all().stream()
        .flatMap(graph -> graph.ownConstants().stream())
        .flatMap(constant -> constant.tensor().stream())
        .mapToLong(tensor -> tensor.content().bytes())
        .sum();
  }

  /** Computes what can be computed; the model stays as it is. */
  static ComputedConstants of(OnnxModel model) {
    ConstantComputation computation = new ConstantComputation(model);
    List<Candidate> candidates = computation.candidates();
    if (!candidates.isEmpty()) {
      computation.compute(candidates);
    }
    return new ComputedConstants(computation.tensors, computation.computed, computation.expanded);
  }

  /** The nodes to compute, each after those that it depends on. */
  private List<Candidate> candidates() {
    List<Candidate> constant = new ArrayList<>();
    Map<Value, Candidate> producers = new HashMap<>();
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        if (isConstant(graph, node, producers)) {
          Candidate candidate = new Candidate(graph, node);
          constant.add(candidate);
          boolean isExpanded = isExpanding(candidate);
          for (Value output : candidate.outputs()) {
            producers.put(output, candidate);
            if (isExpanded) {
              expanded.add(output);
            }
          }
        }
      }
    }
    Set<Node> forWeights = forWeights(producers);
    return constant.stream()
        .filter(
            candidate ->
                forWeights.contains(candidate.node())
                    || !expanded.contains(candidate.outputs().get(0)))
        .toList();
  }

  private boolean isConstant(Graph graph, Node node, Map<Value, Candidate> producers) {
    return OperatorCost.isKnown(node)
        && !LEFT_ALONE.contains(node.opType())
        && node.subgraphs().isEmpty()
        && !node.inputs().isEmpty()
        && !node.outputs().isEmpty()
        && !node.outputs().get(0).isEmpty()
        && !isResultOfBody(graph, node)
        && node.inputs().stream()
            .allMatch(
                input ->
                    input.isEmpty()
                        || graph.constant(input).flatMap(Initializer::tensor).isPresent()
                        || isProduced(graph, input, producers));
  }

  private static boolean isProduced(Graph graph, String input, Map<Value, Candidate> producers) {
    Value value = Value.read(graph, input);
    return value != null && producers.containsKey(value);
  }

  /** The bodies of control flow must compute what they give. */
  private static boolean isResultOfBody(Graph graph, Node node) {
    return graph.parent() != null
        && graph.outputs().stream().anyMatch(each -> node.outputs().contains(each.getName()));
  }

  private boolean isExpanding(Candidate candidate) {
    return OperatorCost.isExpanding(candidate.node())
        || candidate.node().inputs().stream()
            .map(input -> Value.read(candidate.graph(), input))
            .anyMatch(value -> value != null && expanded.contains(value));
  }

  /** The nodes that weights are made by. */
  private Set<Node> forWeights(Map<Value, Candidate> producers) {
    Set<Node> found = new HashSet<>();
    if (producers.isEmpty()) {
      return found;
    }
    List<Candidate> waiting = new ArrayList<>();
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        for (int input : OnnxModules.weightInputs(node)) {
          addProducer(graph, node.input(input), producers, waiting);
        }
      }
    }
    while (!waiting.isEmpty()) {
      Candidate candidate = waiting.remove(waiting.size() - 1);
      if (found.add(candidate.node())) {
        candidate
            .node()
            .inputs()
            .forEach(input -> addProducer(candidate.graph(), input, producers, waiting));
      }
    }
    return found;
  }

  private static void addProducer(
      Graph graph, String input, Map<Value, Candidate> producers, List<Candidate> waiting) {
    Value value = Value.read(graph, input);
    Candidate producer = value == null ? null : producers.get(value);
    if (producer != null) {
      waiting.add(producer);
    }
  }

  private void compute(List<Candidate> candidates) {
    Map<Value, Integer> readers = readers(candidates);
    Set<Value> kept = keptValues(candidates);
    List<Candidate> waiting = candidates;
    for (int round = 0; round < MOST_ROUNDS && !waiting.isEmpty(); round++) {
      List<Candidate> ready = new ArrayList<>();
      List<Candidate> later = new ArrayList<>();
      for (Candidate candidate : waiting) {
        if (!isReady(candidate)) {
          later.add(candidate);
        } else if (isAffordable(candidate)) {
          ready.add(candidate);
        }
      }
      if (ready.isEmpty()) {
        return;
      }
      run(ready);
      ready.forEach(candidate -> release(candidate, readers, kept));
      waiting = later;
    }
  }

  /** How many candidates are still to read each value. */
  private static Map<Value, Integer> readers(List<Candidate> candidates) {
    Map<Value, Integer> readers = new HashMap<>();
    for (Candidate candidate : candidates) {
      for (String input : candidate.node().inputs()) {
        Value value = Value.read(candidate.graph(), input);
        if (value != null) {
          readers.merge(value, 1, Integer::sum);
        }
      }
    }
    return readers;
  }

  /** The outputs of nodes that something else than a candidate reads. */
  private Set<Value> keptValues(List<Candidate> candidates) {
    Set<Node> nodes = new HashSet<>();
    candidates.forEach(candidate -> nodes.add(candidate.node()));
    Set<Value> read = new HashSet<>();
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        if (!nodes.contains(node)) {
          node.inputs().forEach(input -> addRead(graph, input, read));
        }
      }
      graph.outputs().forEach(output -> addRead(graph, output.getName(), read));
    }
    Set<Value> kept = new HashSet<>();
    for (Candidate candidate : candidates) {
      if (candidate.outputs().stream().anyMatch(read::contains)) {
        kept.addAll(candidate.outputs());
      }
    }
    return kept;
  }

  private static void addRead(Graph graph, String name, Set<Value> read) {
    Value value = Value.read(graph, name);
    if (value != null) {
      read.add(value);
    }
  }

  private boolean isReady(Candidate candidate) {
    return candidate.node().inputs().stream()
        .allMatch(input -> input.isEmpty() || input(candidate.graph(), input) != null);
  }

  private @Nullable StoredTensor input(Graph graph, String name) {
    StoredTensor stored = graph.constant(name).flatMap(Initializer::tensor).orElse(null);
    Value value = stored == null ? Value.read(graph, name) : null;
    return value == null ? stored : tensors.get(value);
  }

  private boolean isAffordable(Candidate candidate) {
    List<@Nullable StoredTensor> inputs = new ArrayList<>();
    Set<String> different = new HashSet<>();
    long before = 0;
    for (String name : candidate.node().inputs()) {
      StoredTensor tensor = name.isEmpty() ? null : input(candidate.graph(), name);
      inputs.add(tensor);
      if (tensor != null && different.add(name)) {
        before += tensor.content().bytes();
      }
    }
    Optional<OperatorCost> cost = OperatorCost.of(candidate.node(), inputs);
    if (cost.isEmpty()) {
      return false;
    }
    long more = Math.max(0, cost.get().bytes() - before);
    if (more > growthLeft || cost.get().work() > workLeft) {
      return false;
    }
    growthLeft -= more;
    workLeft -= cost.get().work();
    return true;
  }

  /** Lets go of what nothing reads any more. */
  private void release(Candidate candidate, Map<Value, Integer> readers, Set<Value> kept) {
    for (String input : candidate.node().inputs()) {
      Value value = Value.read(candidate.graph(), input);
      if (value != null && readers.merge(value, -1, Integer::sum) == 0 && !kept.contains(value)) {
        tensors.remove(value);
      }
    }
  }

  private void run(List<Candidate> candidates) {
    try {
      runTogether(candidates);
    } catch (UnavailableException | QuantizationCancelledException e) {
      throw e;
    } catch (KvantException refused) {
      // What ONNX Runtime cannot compute alone it may still compute as a part of the whole.
      if (candidates.size() > 1) {
        for (Candidate candidate : candidates) {
          if (trialsLeft-- > 0) {
            run(List.of(candidate));
          }
        }
      }
    }
  }

  private void runTogether(List<Candidate> candidates) {
    Map<String, Value> results = new LinkedHashMap<>();
    Map<Value, StoredTensor> constants = new LinkedHashMap<>();
    List<Node> nodes = new ArrayList<>();
    for (Candidate candidate : candidates) {
      List<String> inputs = new ArrayList<>();
      for (String name : candidate.node().inputs()) {
        StoredTensor tensor = name.isEmpty() ? null : input(candidate.graph(), name);
        Value value = Value.read(candidate.graph(), name);
        if (tensor == null || value == null) {
          inputs.add("");
        } else {
          String constant = "constant" + constants.size();
          inputs.add(constants.computeIfAbsent(value, key -> tensor.renamed(constant)).name());
        }
      }
      List<String> outputs = new ArrayList<>();
      for (String name : candidate.node().outputs()) {
        String result = name.isEmpty() ? "" : "result" + results.size();
        outputs.add(result);
        if (!name.isEmpty()) {
          results.put(result, new Value(candidate.graph().place(), name));
        }
      }
      nodes.add(candidate.node().copy(inputs, outputs));
    }
    Map<Value, StoredTensor> computedNow = new HashMap<>();
    try (RuntimeSession session =
        RuntimeSessions.openUnoptimized(model.part(nodes, constants.values(), results.keySet()))) {
      session.run(
          (name, tensor) -> {
            Value value = results.get(name);
            if (value != null) {
              computedNow.put(value, stored(value.name(), tensor));
            }
          });
    }
    tensors.putAll(computedNow);
    computed.addAll(computedNow.keySet());
  }

  private static StoredTensor stored(String name, Tensor tensor) {
    return StoredTensor.of(name, DataType.of(tensor.elementType()), tensor.shape(), tensor.data());
  }
}
