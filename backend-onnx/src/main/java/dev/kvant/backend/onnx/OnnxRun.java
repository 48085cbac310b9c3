package dev.kvant.backend.onnx;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.backend.onnx.calibration.ActivationSteps;
import dev.kvant.backend.onnx.calibration.Calibration;
import dev.kvant.backend.onnx.calibration.ObservedSizes;
import dev.kvant.backend.onnx.placement.Placement;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.ActivationPlan;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.QuantizedActivation;
import dev.kvant.backend.onnx.preprocess.PreparedOnnxModel;
import dev.kvant.backend.onnx.rewrite.BlockInputs;
import dev.kvant.backend.onnx.rewrite.BlockRewriter;
import dev.kvant.backend.onnx.rewrite.DynamicRewriter;
import dev.kvant.backend.onnx.rewrite.GraphRewriter;
import dev.kvant.backend.onnx.smooth.Smooth;
import dev.kvant.backend.onnx.smooth.SmoothGroup;
import dev.kvant.backend.onnx.smooth.Smoother;
import dev.kvant.backend.onnx.smooth.Smoother.Smoothed;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.kit.DynamicMode;
import dev.kvant.kit.NoRange;
import dev.kvant.kit.Outliers;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.OnnxModelFile;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxWriter;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.Processor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Takes one ONNX model through quantization. */
final class OnnxRun implements QuantizationRun {

  /**
   * The graph as it will be written.
   *
   * @param graph the rewritten graph
   * @param weights the quantized weights by the name of their module; their errors are known once
   *     they are written
   * @param notes what is worth knowing about modules, by name
   * @param withoutDynamic the modules whose activations cannot be quantized as the model runs
   * @param withoutRange the activations that stay native because the data gave them no range
   * @param outliers warnings of activations whose large values cost the others
   * @param inFloat why modules compute in float although they could be quantized, by name
   * @param operators what operators without weights compute in
   * @param slower what is worth knowing about the speed
   * @param inputs how the inputs of modules are distributed, by name
   */
  private record Rewritten(
      OnnxModel graph,
      Map<String, WeightResult> weights,
      Map<String, String> notes,
      List<String> withoutDynamic,
      List<WithoutRange> withoutRange,
      List<QuantizationWarning> outliers,
      Map<String, String> inFloat,
      List<OperatorReport> operators,
      List<QuantizationWarning> slower,
      Map<String, Distribution> inputs) {}

  /**
   * @param modules the names of those that read it
   */
  private record WithoutRange(
      QuantizedActivation activation, NoRange reason, List<String> modules) {

    QuantizationWarning warning() {
      return new QuantizationWarning(
          QuantizationWarning.Kind.CALIBRATION,
          "'%s', an input or output of %s, %s; it stays native; %s"
              .formatted(
                  activation.activation().name(),
                  activation.module(),
                  reason.why(),
                  reason.remedy()),
          null,
          modules);
    }
  }

  /** Sums of products of inputs may take one part of so many of the memory that Java may use. */
  private static final int MEMORY_SHARE = 3;

  private static final QuantizationWarning UNUSED_DATA =
      new QuantizationWarning(
          QuantizationWarning.Kind.CALIBRATION,
          "the calibration data is not used: nothing that is quantized depends on it; of weights,"
              + " only those of kernel: nbits with algorithm mse, gptq or awq do",
          null,
          List.of());

  private static final OperandOutcome MASKED_WEIGHT =
      OperandOutcome.leftNative(
          "its input has values beyond 1e30 in the calibration data; ONNX Runtime may multiply them"
              + " by codes before it scales, which exceeds float32");

  private static final int LARGEST_OF_8_BITS = 127;

  private final PreparedOnnxModel source;
  private final SourceState state;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final OnnxOptions options;
  private CalibrationStatistics statistics = CalibrationStatistics.NONE;
  private @Nullable Rewritten rewritten;

  OnnxRun(PreparedOnnxModel source, QuantizationPlan plan, RunContext context) {
    this.source = source;
    this.state = SourceState.of(source);
    this.plan = plan;
    this.context = context;
    this.options = OnnxOptions.of(context.options());
    checkOperands(plan);
  }

  private static void checkOperands(QuantizationPlan plan) {
    List<String> mixed =
        plan.modules().stream()
            .filter(
                module ->
                    PlannedGraph.mixes(module.weights().dtype(), module.activations().dtype()))
            .map(ModuleDecision::module)
            .toList();
    if (!mixed.isEmpty()) {
      throw new InvalidConfigurationException(
          "quantize.layers",
          "%s of %s; weights and activations of a module must both be int8, both float8, or one"
                  .formatted(ConfigurationCheck.MIXED, String.join(", ", mixed))
              + " of them native");
    }
  }

  private PlannedGraph planned() {
    return PlannedGraph.of(source, plan, options);
  }

  @Override
  public Map<String, Observation> observations() {
    return byTensor(wanted(planned()));
  }

  @Override
  public List<List<String>> groups() {
    Map<List<Object>, List<String>> readers = new LinkedHashMap<>();
    for (PlannedGraph.Planned module : planned().modules()) {
      Node node = module.node();
      int input = module.activationInput();
      // The other input of a Gather is indices, which are not quantized.
      if (!node.opType().equals("Gather") && input < node.inputs().size()) {
        readers
            .computeIfAbsent(
                List.of(module.graph(), node.inputs().get(input)), tensor -> new ArrayList<>())
            .add(module.name());
      }
    }
    return readers.values().stream().filter(group -> group.size() > 1).toList();
  }

  /** What must be observed of activations: for their ranges, for smoothing, and for blocks. */
  private Map<Activation, Observation> wanted(PlannedGraph planned) {
    Map<Activation, Observation> wanted =
        new LinkedHashMap<>(ActivationPlan.of(planned, options).observations());
    SmoothGroup.of(planned, options)
        .forEach(group -> wanted.merge(group.activation(), Observation.CHANNELS, Observation::or));
    BlockInputs.observations(planned, options, Runtime.getRuntime().maxMemory() / MEMORY_SHARE)
        .forEach((input, needed) -> wanted.merge(input, needed, Observation::or));
    return wanted;
  }

  /** Several activations may be one tensor that is quantized in several ways. */
  private static Map<String, Observation> byTensor(Map<Activation, Observation> wanted) {
    Map<String, Observation> observations = new LinkedHashMap<>();
    wanted.forEach(
        (activation, needed) -> observations.merge(activation.tensor(), needed, Observation::or));
    return observations;
  }

  @Override
  public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
    PlannedGraph planned = planned();
    Map<Activation, Observation> wanted = wanted(planned);
    if (wanted.isEmpty()) {
      context.listener().onWarning(UNUSED_DATA);
      return new CalibrationStatistics(Map.of());
    }
    Map<String, Observation> observations = byTensor(wanted);
    observations.replaceAll((tensor, needed) -> needed.or(least));
    return new Calibration(planned, observations)
        .observe(
            wanted.keySet(),
            data,
            context.config().device(),
            context.parallelism(),
            new ProgressReporter(
                context.listener(), "calibrate", data.batches().orElse(-1), "batches"));
  }

  @Override
  public void use(CalibrationStatistics statistics) {
    this.statistics = statistics;
    this.rewritten = null;
  }

  @Override
  public void quantize() {
    rewritten();
  }

  /** Fails if an amount of smoothing is asked for, and there is nothing to go by. */
  private void requireStatistics(List<SmoothGroup> groups) {
    if (options.smooth().kind() == Smooth.Kind.FIXED
        && !groups.isEmpty()
        && statistics.equals(CalibrationStatistics.NONE)) {
      throw new CalibrationException(
          "smooth: %s divides activations by their largest values, and there are no statistics of them; give calibration data with --calibration, or leave smooth out"
              .formatted(options.smooth().alpha()));
    }
  }

  private Rewritten rewritten() {
    Rewritten known = rewritten;
    if (known == null) {
      PlannedGraph unchanged = planned();
      List<SmoothGroup> groups = SmoothGroup.of(unchanged, options);
      requireStatistics(groups);
      List<SmoothGroup> inBlocks = SmoothGroup.ofBlocks(unchanged, options);
      Smoothed smoothed =
          inBlocks.isEmpty()
              ? Smoother.apply(
                  unchanged,
                  groups,
                  options.smooth(),
                  options.reduceRange() == OnnxOptions.ReduceRange.TRUE
                      ? QuantizedWeight.REDUCED_MAX
                      : LARGEST_OF_8_BITS,
                  statistics,
                  context.parallelism())
              : Smoother.applyToBlocks(
                  unchanged, inBlocks, options.blockFormat(), statistics, context.parallelism());
      PlannedGraph planned = smoothed.planned();
      ActivationPlan activations = ActivationPlan.of(planned, options);
      if (!activations.observations().isEmpty() && statistics.equals(CalibrationStatistics.NONE)) {
        throw new CalibrationException(
            "there are no statistics of the activations of %s; give calibration data with --calibration, or leave its activations native"
                .formatted(
                    planned.modules().stream()
                        .filter(module -> module.decision().activations().isQuantized())
                        .map(PlannedGraph.Planned::name)
                        .findFirst()
                        .orElseThrow()));
      }
      BlockInputs.require(planned, options, statistics);
      BlockInputs blockInputs = BlockInputs.of(planned, smoothed.statistics());
      Optional<Placement> placement =
          activations.place(ObservedSizes.of(planned.model().graph(), smoothed.statistics()));
      List<QuantizedActivation> quantized = activations.activations(placement);
      Set<Activation> observed = new LinkedHashSet<>();
      quantized.forEach(each -> observed.addAll(each.scale()));
      ActivationSteps steps =
          ActivationSteps.of(observed, smoothed.statistics(), context.parallelism());
      Map<String, Distribution> inputs = inputs(planned, quantized, steps, smoothed.samples());
      List<QuantizationWarning> slowness = Slowness.warnings(planned, options, placement);
      Map<String, WeightResult> weights =
          new GraphRewriter(planned, steps, blockInputs, options, context.parallelism())
              .rewrite(
                  quantized,
                  placement.map(Placement::folded).orElse(Set.of()),
                  activations.integers(placement),
                  new ProgressReporter(
                      context.listener(), "quantize", planned.modules().size(), "modules"));
      known =
          new Rewritten(
              planned.model(),
              weights,
              notes(planned, smoothed, blockInputs),
              withoutDynamic(planned),
              withoutRange(planned, quantized, steps),
              outliers(planned, quantized, steps),
              placement.map(activations::inFloat).orElse(Map.of()),
              placement.map(activations::operators).orElse(List.of()),
              slowness,
              inputs);
      planned.model().removeExporterNotes();
      // The metadata come before the weights in the file, so the record knows no errors.
      byte[] record = context.record(report(known, weight -> null).build());
      planned
          .model()
          .metadata()
          .put(OnnxModelFile.RECORD_ENTRY, new String(record, StandardCharsets.UTF_8));
      rewritten = known;
    }
    return known;
  }

  private Map<String, Distribution> inputs(
      PlannedGraph planned,
      List<QuantizedActivation> quantized,
      ActivationSteps steps,
      Map<String, Histogram> samples) {
    Map<String, QuantizedActivation> byTensor = new HashMap<>();
    quantized.forEach(each -> byTensor.putIfAbsent(each.activation().tensor(), each));
    Map<String, Optional<Distribution>> known = new HashMap<>();
    Map<String, Distribution> inputs = new HashMap<>();
    for (PlannedGraph.Planned module : planned.modules()) {
      module
          .input(options)
          .map(Activation::tensor)
          .filter(byTensor::containsKey)
          .flatMap(
              tensor ->
                  known.computeIfAbsent(
                      tensor,
                      each ->
                          steps.distribution(Objects.requireNonNull(byTensor.get(each)), samples)))
          .ifPresent(found -> inputs.put(module.name(), found));
    }
    return inputs;
  }

  private static List<WithoutRange> withoutRange(
      PlannedGraph planned, List<QuantizedActivation> quantized, ActivationSteps steps) {
    List<WithoutRange> all = new ArrayList<>();
    for (QuantizedActivation each : quantized) {
      steps
          .noRange(each)
          .ifPresent(
              reason -> all.add(new WithoutRange(each, reason, modulesReading(planned, each))));
    }
    return List.copyOf(all);
  }

  private static List<String> modulesReading(PlannedGraph planned, QuantizedActivation activation) {
    Set<Node> readers = new HashSet<>();
    activation.readers().forEach(reader -> readers.add(reader.node()));
    return planned.modules().stream()
        .filter(module -> readers.contains(module.node()))
        .map(PlannedGraph.Planned::name)
        .toList();
  }

  private static List<QuantizationWarning> outliers(
      PlannedGraph planned, List<QuantizedActivation> quantized, ActivationSteps steps) {
    List<QuantizationWarning> warnings = new ArrayList<>();
    for (QuantizedActivation each : quantized) {
      steps
          .outliers(each)
          .ifPresent(
              found ->
                  warnings.add(
                      new QuantizationWarning(
                          QuantizationWarning.Kind.CALIBRATION,
                          "'%s', an input or output of %s, %s; %s"
                              .formatted(
                                  each.activation().name(),
                                  each.module(),
                                  found.why(),
                                  Outliers.remedy()),
                          null,
                          modulesReading(planned, each))));
    }
    return List.copyOf(warnings);
  }

  private static List<String> withoutDynamic(PlannedGraph planned) {
    return planned.modules().stream()
        .filter(module -> planned.dynamic() && module.decision().activations().isQuantized())
        .filter(module -> !DynamicRewriter.fits(module))
        .map(PlannedGraph.Planned::name)
        .toList();
  }

  private Map<String, String> notes(
      PlannedGraph planned, Smoothed smoothed, BlockInputs blockInputs) {
    Map<String, String> notes = new LinkedHashMap<>(smoothed.notes());
    if (options.kernel() == OnnxOptions.Kernel.NBITS) {
      for (PlannedGraph.Planned module : planned.modules()) {
        BlockRewriter.obstacle(module, options)
            .map(reason -> reason + ": stored as int8")
            .or(() -> blockInputs.fallback(module))
            .ifPresent(reason -> notes.put(module.name(), reason));
      }
    }
    planned.modules().stream()
        .filter(PlannedGraph.Planned::needsOneScale)
        .forEach(
            module ->
                notes.put(
                    module.name(),
                    "one scale for all weights: ONNX Runtime multiplies integers with a scale per"
                        + " column only by a matrix of two dimensions on the right"));
    return notes;
  }

  @Override
  public SavedModel save(Path directory) {
    Rewritten written = rewritten();
    boolean external =
        options.externalData() || OnnxWriter.size(written.graph()) > OnnxWriter.LARGEST_FILE;
    try (ArtifactTransaction transaction = ArtifactTransaction.begin(directory, state)) {
      Path file = transaction.create(OnnxBackend.ARTIFACT);
      if (external) {
        Path data = transaction.create(OnnxBackend.ARTIFACT_DATA);
        OnnxWriter.write(written.graph(), file, data, OnnxBackend.ARTIFACT_DATA);
      } else {
        OnnxWriter.write(written.graph(), file);
      }
      transaction.commit();
    }
    return new SavedModel(
        artifacts(directory, external),
        withDistributions(report(written, weight -> weight.error().sqnrDecibels()), written)
            .build());
  }

  /** What the record in the artifact has no room for. */
  private static ReportBuilder withDistributions(ReportBuilder report, Rewritten graph) {
    graph
        .weights()
        .forEach(
            (module, weight) ->
                weight
                    .distribution()
                    .ifPresent(found -> report.distribution(module, Operand.WEIGHTS, found)));
    graph
        .inputs()
        .forEach((module, found) -> report.distribution(module, Operand.ACTIVATIONS, found));
    return report;
  }

  private static List<Artifact> artifacts(Path directory, boolean external) {
    List<Artifact> artifacts = new ArrayList<>();
    artifacts.add(
        Artifact.of(directory.resolve(OnnxBackend.ARTIFACT), OnnxFormat.ID, "the quantized graph"));
    if (external) {
      artifacts.add(
          Artifact.of(
              directory.resolve(OnnxBackend.ARTIFACT_DATA),
              Artifact.Role.SIDE_FILE,
              OnnxFormat.ID,
              "its large tensors; belongs beside " + OnnxBackend.ARTIFACT));
    }
    return artifacts;
  }

  /**
   * @param sqnr the signal-to-noise ratio of a weight in decibels, or null where it is not known
   */
  private ReportBuilder report(Rewritten graph, Function<WeightResult, @Nullable Double> sqnr) {
    var report = new ReportBuilder(source, plan);
    Map<String, ModuleDecision> decisions = new HashMap<>();
    plan.modules().forEach(decision -> decisions.put(decision.module(), decision));
    graph
        .weights()
        .forEach(
            (module, weight) ->
                report
                    .weights(
                        module,
                        OperandOutcome.quantized(
                            Objects.requireNonNull(decisions.get(module)).weights().dtype(),
                            weight.granularity(),
                            sqnr.apply(weight)))
                    .saved(module, weight.savedBytes()));
    for (ModuleDecision decision : plan.quantized()) {
      if (decision.activations().isQuantized()) {
        report.activations(
            decision.module(),
            OperandOutcome.quantized(decision.activations().dtype(), Granularity.TENSOR, null));
      }
    }
    graph.notes().forEach(report::note);
    graph
        .withoutDynamic()
        .forEach(
            module ->
                report.activations(
                    module,
                    OperandOutcome.leftNative(
                        "MatMulInteger has no factors and supports neither a transposed input nor"
                            + " a matrix on the left; the weight is stored behind"
                            + " DequantizeLinear")));
    graph
        .inFloat()
        .forEach(
            (module, reason) ->
                report.activations(
                    module, OperandOutcome.leftNative("it computes in float here: " + reason)));
    report.operators(graph.operators());
    report.warnings(graph.slower());
    report.warnings(graph.withoutRange().stream().map(WithoutRange::warning).toList());
    report.warnings(graph.outliers());
    for (WithoutRange each : graph.withoutRange()) {
      OperandOutcome outcome = OperandOutcome.leftNative("its input " + each.reason().why());
      each.modules().forEach(module -> report.activations(module, outcome));
      if (each.reason() == NoRange.MASKS) {
        each.modules().stream()
            .filter(module -> !graph.weights().containsKey(module))
            .filter(module -> Objects.requireNonNull(decisions.get(module)).weights().isQuantized())
            .forEach(module -> report.weights(module, MASKED_WEIGHT));
      }
    }
    if (context.mode().equals(QuantizationMode.DYNAMIC_PTQ)) {
      report.warnings(List.of(DynamicMode.batchDependence()));
    }
    report.warnings(
        CodeOverflow.warning(options, plan, Processor.ofThisProcess()).stream().toList());
    return report.requirements(OnnxRequirements.of(graph.graph(), options, plan));
  }

  /** Lets go of the graph; sessions and files are opened and closed within each step. */
  @Override
  public void close() {
    rewritten = null;
  }
}
