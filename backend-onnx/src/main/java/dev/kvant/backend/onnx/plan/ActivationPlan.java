package dev.kvant.backend.onnx.plan;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperatorReport;
import dev.kvant.backend.onnx.placement.Bounds;
import dev.kvant.backend.onnx.placement.Pair;
import dev.kvant.backend.onnx.placement.Placement;
import dev.kvant.backend.onnx.placement.Placer;
import dev.kvant.backend.onnx.placement.Product;
import dev.kvant.backend.onnx.placement.Reader;
import dev.kvant.backend.onnx.placement.Response;
import dev.kvant.backend.onnx.placement.Sizes;
import dev.kvant.backend.onnx.plan.PlannedGraph.Operator;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.spi.Observation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The activations of a graph that are quantized: those around regions of integers in the model's
 * own graph, and those that the other modules read.
 *
 * @since 0.1.0
 */
public final class ActivationPlan {

  private final PlannedGraph planned;
  private final OnnxOptions options;
  private final @Nullable Placer placer;
  private final Map<Node, Planned> placed = new HashMap<>();
  private final Map<String, Activation> candidates = new LinkedHashMap<>();

  private ActivationPlan(PlannedGraph planned, OnnxOptions options) {
    this.planned = planned;
    this.options = options;
    Graph graph = planned.model().graph();
    Map<Node, Product> products = new HashMap<>();
    for (Planned module : planned.modules()) {
      // A product with a vector has no output channels, and is never one of integers.
      if (module.graph() == graph && module.weight().channelAxis() >= 0) {
        products.put(module.node(), product(module));
        if (isInteger(module)) {
          placed.put(module.node(), module);
        }
      }
    }
    boolean hasRegions = options.hasRegions() && !planned.dynamic() && !placed.isEmpty();
    Set<Node> kept = new HashSet<>();
    for (Operator operator : planned.operators()) {
      ModuleDecision decision = operator.decision();
      if (decision != null && !decision.isQuantized()) {
        kept.add(operator.node());
      }
    }
    this.placer = hasRegions ? new Placer(graph, products, node -> !kept.contains(node)) : null;
    if (placer == null) {
      placed.clear();
    } else {
      Response.Finder responses = new Response.Finder(graph);
      Map<String, ModuleDecision> decisions = decisionsByTensor();
      ModuleDecision first = placed.values().iterator().next().decision();
      for (String tensor : placer.candidates()) {
        ActivationSetting setting =
            ActivationSetting.of(decisions.getOrDefault(tensor, first).activations(), options);
        candidates.put(
            tensor,
            new Activation(
                graph.place(), tensor, DataType.FLOAT, setting.behind(responses.behind(tensor))));
      }
    }
  }

  /** The plan for a graph. */
  public static ActivationPlan of(PlannedGraph planned, OnnxOptions options) {
    return new ActivationPlan(planned, options);
  }

  private static Product product(Planned module) {
    return new Product(
        module.activationInput(),
        module.weight().tensor().dims(),
        module.weight().channelAxis(),
        isInteger(module));
  }

  private static boolean isInteger(Planned module) {
    return module.decision().weights().dtype().equals(Dtype.INT8)
        && module.decision().activations().dtype().equals(Dtype.INT8)
        && module.type() == DataType.FLOAT
        && !module.node().is("Gather");
  }

  /**
   * Whose settings a tensor has: those of a product that reads it, of an operator with settings of
   * its own that reads or writes it, or else of a product that writes it.
   */
  private Map<String, ModuleDecision> decisionsByTensor() {
    Map<String, ModuleDecision> decisions = new HashMap<>();
    for (Planned module : planned.modules()) {
      if (placed.containsKey(module.node())) {
        decisions.putIfAbsent(module.node().input(module.activationInput()), module.decision());
      }
    }
    for (Operator operator : planned.operators()) {
      ModuleDecision decision = operator.decision();
      if (decision != null && decision.isQuantized()) {
        operator.node().inputs().forEach(input -> decisions.putIfAbsent(input, decision));
        operator.node().outputs().forEach(output -> decisions.putIfAbsent(output, decision));
      }
    }
    for (Planned module : planned.modules()) {
      if (placed.containsKey(module.node())) {
        decisions.putIfAbsent(module.node().outputs().get(0), module.decision());
      }
    }
    return decisions;
  }

  /** What must be observed of which activations. */
  public Map<Activation, Observation> observations() {
    Map<Activation, Observation> observations = new LinkedHashMap<>();
    candidates
        .values()
        .forEach(activation -> observations.put(activation, Observation.DISTRIBUTION));
    for (QuantizedActivation other : ofOthers()) {
      observations.merge(
          other.activation(),
          other.activation().setting().observation(),
          (one, two) -> one.compareTo(two) < 0 ? two : one);
    }
    return observations;
  }

  /** Where the model's own graph is quantized; empty if regions have no place in it. */
  public Optional<Placement> place(Sizes sizes) {
    return Optional.ofNullable(placer).map(each -> each.place(options.optimize(), sizes));
  }

  /** The activations to quantize. */
  public List<QuantizedActivation> activations(Optional<Placement> placement) {
    List<QuantizedActivation> activations = new ArrayList<>();
    placement.ifPresent(found -> found.pairs().forEach(pair -> activations.add(quantized(pair))));
    activations.addAll(ofOthers());
    return activations;
  }

  private QuantizedActivation quantized(Pair pair) {
    List<Activation> scale = pair.scale().tensors().stream().map(this::candidate).toList();
    String module =
        pair.readers().stream()
            .map(reader -> placed.get(reader.node()))
            .filter(Objects::nonNull)
            .map(Planned::name)
            .findFirst()
            .orElse("'" + pair.tensor() + "'");
    return new QuantizedActivation(
        candidate(pair.tensor()),
        planned.model().graph(),
        scale,
        pair.scale().bounds(),
        pair.scale().isWhole(),
        pair.isForAll(),
        pair.readers(),
        module);
  }

  private Activation candidate(String tensor) {
    Activation candidate = candidates.get(tensor);
    if (candidate == null) {
      throw new IllegalStateException("'%s' is quantized but no candidate".formatted(tensor));
    }
    return candidate;
  }

  /** What modules read that are in no region, and what they write if that is asked for. */
  private List<QuantizedActivation> ofOthers() {
    List<QuantizedActivation> activations = new ArrayList<>();
    if (planned.dynamic()) {
      return activations;
    }
    for (Planned module : planned.modules()) {
      if (placed.containsKey(module.node())) {
        continue;
      }
      int input = module.activationInput();
      String read = module.node().input(input);
      module
          .input(options)
          .ifPresent(
              activation ->
                  activations.add(
                      alone(
                          module,
                          activation,
                          false,
                          List.of(new Reader(module.node(), input, read)))));
    }
    for (Planned module : planned.modules()) {
      if (!placed.containsKey(module.node())) {
        module
            .output(options)
            .ifPresent(activation -> activations.add(alone(module, activation, true, List.of())));
      }
    }
    return activations;
  }

  private static QuantizedActivation alone(
      Planned module, Activation activation, boolean isForAll, List<Reader> readers) {
    Graph home = module.graph().home(activation.name());
    return new QuantizedActivation(
        activation,
        home == null ? module.graph() : home,
        List.of(activation),
        Bounds.NONE,
        false,
        isForAll,
        readers,
        module.name());
  }

  /** The modules that multiply codes. */
  public Set<String> integers(Optional<Placement> placement) {
    Set<String> names = new HashSet<>();
    for (Planned module : planned.modules()) {
      boolean isInteger =
          placed.containsKey(module.node())
              ? placement.map(found -> found.integers().contains(module.node())).orElse(false)
              : !planned.dynamic() && module.input(options).isPresent() && isInteger(module);
      if (isInteger) {
        names.add(module.name());
      }
    }
    return names;
  }

  /**
   * The modules whose activations stay float although they are planned to be quantized, each with
   * the reason.
   */
  public Map<String, String> inFloat(Placement placement) {
    Map<String, String> reasons = new LinkedHashMap<>();
    for (Planned module : planned.modules()) {
      String reason = placement.inFloat().get(module.node());
      if (reason != null && placed.containsKey(module.node())) {
        reasons.put(module.name(), reason);
      }
    }
    return reasons;
  }

  /** What operators without weights compute in, those of one class and result together. */
  public List<OperatorReport> operators(Placement placement) {
    Map<OperatorReport, List<String>> names = new LinkedHashMap<>();
    for (Operator operator : planned.operators()) {
      outcome(operator, placement)
          .ifPresent(
              outcome ->
                  names
                      .computeIfAbsent(
                          new OperatorReport(operator.type(), outcome, List.of(operator.type())),
                          key -> new ArrayList<>())
                      .add(operator.name()));
    }
    List<OperatorReport> reports = new ArrayList<>();
    names.forEach(
        (report, operators) ->
            reports.add(new OperatorReport(report.type(), report.outcome(), operators)));
    return reports;
  }

  private static Optional<OperandOutcome> outcome(Operator operator, Placement placement) {
    Node node = operator.node();
    if (placement.integers().contains(node) || placement.folded().contains(node)) {
      return Optional.of(OperandOutcome.quantized(Dtype.INT8, Granularity.TENSOR, null));
    }
    ModuleDecision decision = operator.decision();
    if (decision != null && !decision.isQuantized()) {
      String reason = decision.activations().reason();
      return Optional.of(
          OperandOutcome.leftNative(
              reason == null ? "by " + decision.activations().decidedBy() : reason));
    }
    return Optional.ofNullable(placement.inFloat().get(node)).map(OperandOutcome::leftNative);
  }
}
