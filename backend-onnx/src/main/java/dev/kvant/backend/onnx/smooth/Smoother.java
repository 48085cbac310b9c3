package dev.kvant.backend.onnx.smooth;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.BlockFormat;
import dev.kvant.kit.Workers;
import dev.kvant.numerics.ChannelSmoothing;
import dev.kvant.numerics.observer.ChannelStatistics;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.SmoothingSearch.Ranges;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.spi.CalibrationStatistics;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Divides the channels of activations by factors and multiplies the rows of the matrices behind
 * them by the same, see {@link ChannelSmoothing}. Where a normalization computes the activations
 * for these products alone, its constants are divided, otherwise a {@code Mul} does it. The graph
 * computes what it computed before, up to rounding; it is quantized after that.
 *
 * <p>The range of a smoothed tensor is from its smallest to its largest value, whatever the
 * algorithm: smoothing leaves no outliers that would be worth clipping.
 *
 * @since 0.1.0
 */
public final class Smoother {

  /**
   * A graph after smoothing.
   *
   * @param planned the graph with its modules; those that were smoothed have new weights
   * @param statistics what is known of activations, the new ones among them
   * @param notes how modules were smoothed, by their names
   * @param samples values of the new activations, by the names of these: those of the rows that
   *     calibration sampled
   */
  public record Smoothed(
      PlannedGraph planned,
      CalibrationStatistics statistics,
      Map<String, String> notes,
      Map<String, Histogram> samples) {

    public Smoothed {
      notes = Map.copyOf(notes);
      samples = Map.copyOf(samples);
    }
  }

  /** A weight of a group; one that is summed over along both axes has two versions. */
  private record Key(Initializer weight, int inputAxis) {}

  private final PlannedGraph planned;
  private final OnnxModel model;
  private final NormFolding folding;
  private final Map<String, Optional<TensorStatistics>> statistics;
  private final IdentityHashMap<Planned, Planned> changed = new IdentityHashMap<>();
  private final Map<String, String> notes = new HashMap<>();
  private final Map<String, Histogram> samples = new HashMap<>();

  private Smoother(PlannedGraph planned, CalibrationStatistics statistics) {
    this.planned = planned;
    this.model = planned.model();
    this.folding = new NormFolding(model);
    this.statistics = new TreeMap<>(statistics.tensors());
  }

  /**
   * Smooths groups of products, changing the graph.
   *
   * @param planned the graph
   * @param groups the groups; one without statistics of channels stays as it is
   * @param smooth how much
   * @param largestCode the largest code of a weight
   * @param statistics what was observed
   * @param parallelism how many threads choose factors
   */
  public static Smoothed apply(
      PlannedGraph planned,
      List<SmoothGroup> groups,
      Smooth smooth,
      int largestCode,
      CalibrationStatistics statistics,
      int parallelism) {
    Map<SmoothGroup, Factors> factors = new ConcurrentHashMap<>();
    Ranges ranges = planned.dynamic() ? Ranges.DYNAMIC : Ranges.CALIBRATED;
    try (var workers = new Workers<Object>(parallelism, Object::new)) {
      for (SmoothGroup group : groups) {
        group
            .statistics(statistics)
            .ifPresent(
                channels ->
                    workers.submit(
                        any ->
                            Factors.of(group, channels, smooth, largestCode, ranges)
                                .ifPresent(found -> factors.put(group, found))));
      }
      workers.finish();
    }
    return apply(planned, groups, factors, "smooth", statistics);
  }

  /**
   * Multiplies the weights of products by factors before they go into blocks, changing the graph.
   *
   * @param planned the graph
   * @param groups the groups; one without statistics of its inputs stays as it is
   * @param format how the weights will be stored
   * @param statistics what was observed
   * @param parallelism how many threads choose factors
   */
  public static Smoothed applyToBlocks(
      PlannedGraph planned,
      List<SmoothGroup> groups,
      BlockFormat format,
      CalibrationStatistics statistics,
      int parallelism) {
    Map<SmoothGroup, Factors> factors = new ConcurrentHashMap<>();
    try (var workers = new Workers<Object>(parallelism, Object::new)) {
      for (SmoothGroup group : groups) {
        Optional<Gram> inputs =
            statistics
                .tensor(group.activation().tensor())
                .flatMap(TensorStatistics::products)
                .filter(sums -> sums.size() == group.channels());
        Optional<ChannelStatistics> channels = group.statistics(statistics);
        if (inputs.isPresent() && channels.isPresent()) {
          workers.submit(
              any ->
                  Factors.ofBlocks(group, channels.get(), inputs.get(), format)
                      .ifPresent(found -> factors.put(group, found)));
        }
      }
      workers.finish();
    }
    return apply(planned, groups, factors, CalibrationAlgorithm.AWQ.name(), statistics);
  }

  private static Smoothed apply(
      PlannedGraph planned,
      List<SmoothGroup> groups,
      Map<SmoothGroup, Factors> factors,
      String method,
      CalibrationStatistics statistics) {
    var smoother = new Smoother(planned, statistics);
    for (SmoothGroup group : groups) {
      Factors found = factors.get(group);
      if (found != null) {
        smoother.smooth(group, group.statistics(statistics).orElseThrow(), found, method);
      }
    }
    return smoother.result();
  }

  private Smoothed result() {
    List<Planned> modules =
        planned.modules().stream().map(each -> changed.getOrDefault(each, each)).toList();
    return new Smoothed(
        new PlannedGraph(model, modules, planned.operators(), planned.dynamic()),
        new CalibrationStatistics(statistics),
        notes,
        samples);
  }

  private void smooth(
      SmoothGroup group, ChannelStatistics channels, Factors chosen, String method) {
    float[] factors = chosen.values();
    float[] reciprocals = ChannelSmoothing.reciprocals(factors);
    String source = group.activation().name();
    Optional<String> norm = folding.fold(source, group.modules().size(), reciprocals);
    String smoothed = norm.isPresent() ? source : multiply(source, reciprocals);
    TensorStatistics range = TensorStatistics.of(channels.scaledRange(reciprocals));
    Optional<Gram> sums =
        statistics.getOrDefault(source, Optional.empty()).flatMap(TensorStatistics::products);
    statistics.put(
        smoothed,
        Optional.of(sums.map(known -> range.with(known.scaled(reciprocals))).orElse(range)));
    samples.put(smoothed, scaled(channels.rows(), reciprocals));
    Map<Key, String> stored = new HashMap<>();
    for (Planned module : group.modules()) {
      Node node = module.node();
      Key key = new Key(SmoothGroup.weight(module), SmoothGroup.inputAxis(module));
      String name = stored.computeIfAbsent(key, each -> store(module, factors));
      node.inputs().set(0, smoothed);
      node.inputs().set(1, name);
      changed.put(module, changed(module));
      notes.put(
          module.name(),
          String.format(
              Locale.ROOT,
              "%s: alpha %.2f, %s",
              method,
              chosen.alpha(),
              norm.isPresent() ? "folded into " + norm.get() : "a Mul before the product"));
    }
  }

  private static Histogram scaled(List<float[]> rows, float[] multipliers) {
    var histogram = new Histogram();
    for (float[] row : rows) {
      float[] products = new float[row.length];
      for (int channel = 0; channel < products.length; channel++) {
        products[channel] = row[channel] * multipliers[channel];
      }
      histogram.add(FloatBuffer.wrap(products), 0);
    }
    return histogram;
  }

  private String multiply(String source, float[] reciprocals) {
    Graph graph = model.graph();
    String constant = model.freshName(source + "_smoothing");
    graph
        .initializers()
        .put(
            constant,
            Initializer.of(
                StoredTensor.ofFloats(constant, List.of((long) reciprocals.length), reciprocals)));
    String smoothed = model.freshName(source + "_smoothed");
    graph.insertAfter(
        source,
        List.of(
            Node.create(
                model.freshName(source + "_Mul_smoothing"),
                "Mul",
                List.of(source, constant),
                List.of(smoothed))));
    return smoothed;
  }

  private String store(Planned module, float[] factors) {
    StoredTensor weight = module.weight().tensor();
    String name = model.freshName(weight.name() + "_smoothed");
    var scaled =
        new ScaledContent(
            weight.content(), weight.dims().get(1), SmoothGroup.inputAxis(module), factors);
    model
        .graph()
        .initializers()
        .put(name, Initializer.of(new StoredTensor(name, weight.type(), weight.dims(), scaled)));
    return name;
  }

  private static Planned changed(Planned module) {
    OnnxModule.Weight weight = module.weight();
    StoredTensor tensor = SmoothGroup.weight(module).tensor().orElseThrow();
    ModuleDecision decision = module.decision();
    return new Planned(
        module.name(),
        module.graph(),
        module.node(),
        List.of(new OnnxModule.Weight(weight.input(), weight.channelAxis(), tensor)),
        new ModuleDecision(
            decision.module(),
            decision.type(),
            decision.typeInferred(),
            decision.weights(),
            wholeRange(decision.activations())));
  }

  private static OperandDecision wholeRange(OperandDecision decision) {
    return new OperandDecision(
        decision.dtype(),
        decision.requested(),
        decision.decidedBy(),
        decision.overrode(),
        decision.reason(),
        decision.nativeIn(),
        new OperandSettings(
            decision.settings().granularity(), CalibrationAlgorithm.MINMAX, Map.of()));
  }
}
