package dev.kvant.backend.onnx.plan;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.backend.onnx.preprocess.OpsetRaiser;
import dev.kvant.backend.onnx.preprocess.PreparedOnnxModel;
import dev.kvant.backend.onnx.preprocess.PreparedOnnxModel.Prepared;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.OnnxModules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A copy of a model's graph, ready to be observed or rewritten, with the plan's decision for each
 * of its nodes. Made anew for each step; always the same for the same model and plan.
 *
 * @param model the copy
 * @param modules the nodes with something to quantize
 * @param operators the nodes without weights of the model's own graph
 * @param dynamic whether ranges of activations are found as the model runs
 * @since 0.1.0
 */
public record PlannedGraph(
    OnnxModel model, List<Planned> modules, List<Operator> operators, boolean dynamic) {

  private static final Set<Dtype> FLOAT8 = Set.of(Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  /**
   * A node with something to quantize.
   *
   * @param name its name in the plan
   * @param graph the graph that it is in
   * @param node the node
   * @param weights its weights, at least one
   * @param decision what is planned
   */
  public record Planned(
      String name,
      Graph graph,
      Node node,
      List<OnnxModule.Weight> weights,
      ModuleDecision decision) {

    public Planned {
      weights = List.copyOf(weights);
    }

    /** Its weight, or the first of several. */
    public OnnxModule.Weight weight() {
      return weights.get(0);
    }

    /** Which input takes activations: the one that does not take the weight. */
    public int activationInput() {
      return weight().input() == 0 ? 1 : 0;
    }

    /** The axis of the weight along which scales differ; -1 for one scale. */
    public int scaleAxis() {
      if (needsOneScale()) {
        return -1;
      }
      Granularity granularity = decision.weights().settings().granularity();
      if (granularity instanceof Granularity.PerAxis along) {
        return along.axis();
      }
      return Granularity.TENSOR.equals(granularity) ? -1 : weight().channelAxis();
    }

    /**
     * Whether the weight can have one scale only: ONNX Runtime's products of integers have scales
     * for the columns of a matrix of two dimensions on the right, and for nothing else.
     */
    public boolean needsOneScale() {
      return (node.is("MatMul") || node.is("Gemm"))
          && (weight().input() == 0 || weight().tensor().dims().size() > 2)
          && Dtype.INT8.equals(decision.weights().dtype())
          && Dtype.INT8.equals(decision.activations().dtype());
    }

    /** The type that the node computes in. */
    public DataType type() {
      return weight().tensor().type();
    }

    /** The tensor that goes in, if that is to be quantized. */
    public Optional<Activation> input(OnnxOptions options) {
      return activation(node.input(activationInput()), options);
    }

    /** The tensor that comes out, if that is to be quantized. */
    public Optional<Activation> output(OnnxOptions options) {
      return options.quantizeOutputs()
          ? activation(node.outputs().get(0), options)
          : Optional.empty();
    }

    private Optional<Activation> activation(String value, OnnxOptions options) {
      Graph home = graph.home(value);
      if (!decision.activations().isQuantized()
          || home == null
          || graph.constant(value).isPresent()) {
        return Optional.empty();
      }
      return Optional.of(
          new Activation(
              home.place(), value, type(), ActivationSetting.of(decision.activations(), options)));
    }
  }

  /**
   * A node without weights.
   *
   * @param name its name in the plan
   * @param type its class in the plan
   * @param node the node
   * @param decision what is planned, or null where nothing is
   */
  public record Operator(String name, String type, Node node, @Nullable ModuleDecision decision) {}

  /** The version of the operators that quantization needs. */
  private static long opset(List<Planned> planned) {
    return planned.stream()
            .anyMatch(module -> module.type() != DataType.FLOAT || usesFloat8(module.decision()))
        ? OpsetRaiser.FLOAT8
        : OpsetRaiser.PER_CHANNEL;
  }

  private static boolean usesFloat8(ModuleDecision decision) {
    return FLOAT8.contains(decision.weights().dtype())
        || FLOAT8.contains(decision.activations().dtype());
  }

  /**
   * Whether one operand is to be a float8 and the other an integer, which no runtime multiplies.
   */
  public static boolean mixes(Dtype weights, Dtype activations) {
    return (FLOAT8.contains(weights) && activations.equals(Dtype.INT8))
        || (FLOAT8.contains(activations) && weights.equals(Dtype.INT8));
  }

  /**
   * The graph of a model with what is planned for it.
   *
   * @param model the model that the plan was made of
   */
  public static PlannedGraph of(
      PreparedOnnxModel model, QuantizationPlan plan, OnnxOptions options) {
    Map<String, ModuleDecision> decisions = new HashMap<>();
    plan.modules().forEach(decision -> decisions.put(decision.module(), decision));
    Prepared prepared =
        model.prepare(
            name -> {
              ModuleDecision decision = decisions.get(name);
              return decision != null && decision.weights().isQuantized();
            });
    List<Planned> planned = new ArrayList<>();
    for (OnnxModule module : prepared.modules()) {
      ModuleDecision decision = decisions.get(module.name());
      List<OnnxModule.Weight> weights = OnnxModules.weights(module.graph(), module.node());
      if (decision != null && decision.isQuantized() && !weights.isEmpty()) {
        planned.add(new Planned(module.name(), module.graph(), module.node(), weights, decision));
      }
    }
    Map<String, ModuleDecision> steered = new HashMap<>();
    plan.operators().forEach(decision -> steered.put(decision.module(), decision));
    List<Operator> operators =
        prepared.operators().stream()
            .map(
                each ->
                    new Operator(
                        each.name(),
                        each.description().type(),
                        each.node(),
                        steered.get(each.name())))
            .toList();
    OpsetRaiser.raise(prepared.graph(), opset(planned));
    return new PlannedGraph(
        prepared.graph(), planned, operators, plan.mode().equals(QuantizationMode.DYNAMIC_PTQ));
  }
}
