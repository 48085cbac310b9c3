package dev.kvant.runtime;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.Observation;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A backend that quantizes nothing and remembers what it was asked to do.
 *
 * <p>It takes Linear, Embedding and Conv2d; of the latter it keeps one artifact native. In {@code
 * static_ptq} it quantizes activations too, except those of Embedding, and operators Add in int8.
 */
public final class FakeBackend implements QuantizationBackend {

  private static final List<Dtype> DTYPES = List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private final List<String> calls = new ArrayList<>();
  private final String id;
  private final List<String> aliases;
  private final Map<QuantizationMode, ModeDescriptor> modes = new LinkedHashMap<>();
  private Availability availability = Availability.available();
  private List<ConfigurationProblem> problems = List.of();
  private final List<QuantizationWarning> inReport = new ArrayList<>();
  private final List<QuantizationWarning> told = new ArrayList<>();

  private FakeBackend(String id, String... aliases) {
    this.id = id;
    this.aliases = List.of(aliases);
  }

  /** Puts a warning into the report of each model that it saves. */
  FakeBackend warns(QuantizationWarning warning) {
    inReport.add(warning);
    return this;
  }

  /** Tells a warning while it saves a model. */
  FakeBackend tells(QuantizationWarning warning) {
    told.add(warning);
    return this;
  }

  /** One that only quantizes weights. */
  public static FakeBackend weightOnly(String id, String... aliases) {
    FakeBackend backend = new FakeBackend(id, aliases);
    backend.modes.put(
        QuantizationMode.WEIGHT_ONLY_PTQ,
        ModeDescriptor.builder()
            .weights(DTYPES)
            .weightGranularities(EnumSet.allOf(Granularity.Kind.class))
            .build());
    return backend;
  }

  /** One that can be calibrated as well. */
  public static FakeBackend calibratable(String id) {
    FakeBackend backend = weightOnly(id);
    backend.modes.put(
        QuantizationMode.STATIC_PTQ,
        ModeDescriptor.builder()
            .weights(DTYPES)
            .activations(List.of(Dtype.INT8, Dtype.FP8_E4M3FN))
            .algorithms(List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.ENTROPY))
            .weightGranularities(EnumSet.allOf(Granularity.Kind.class))
            .activationGranularities(List.of(Granularity.Kind.TENSOR))
            .calibration(Calibration.OPTIONAL)
            .build());
    return backend;
  }

  /** One that gives activations ranges while the model runs. */
  public static FakeBackend dynamic(String id) {
    FakeBackend backend = weightOnly(id);
    backend.modes.put(
        QuantizationMode.DYNAMIC_PTQ,
        ModeDescriptor.builder().weights(DTYPES).activations(List.of(Dtype.INT8)).build());
    return backend;
  }

  /** One that quantizes weights alone, and only after it has observed the model, as AWQ does. */
  public static FakeBackend observingForWeights(String id) {
    FakeBackend backend = new FakeBackend(id);
    backend.modes.put(
        QuantizationMode.WEIGHT_ONLY_PTQ,
        ModeDescriptor.builder()
            .weights(DTYPES)
            .algorithms(List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.ENTROPY))
            .calibration(Calibration.REQUIRED)
            .build());
    return backend;
  }

  /** Makes it say that it cannot work. */
  public FakeBackend unavailable(String reason) {
    availability = Availability.unavailable(reason);
    return this;
  }

  /** Makes it find fault with every configuration. */
  public FakeBackend findingFault(String path, String message) {
    problems = List.of(new ConfigurationProblem(path, message));
    return this;
  }

  /** What it and its runs were asked to do, in order. */
  public List<String> calls() {
    return List.copyOf(calls);
  }

  @Override
  public Optional<String> remedy(String format) {
    return format.equals("halves") ? Optional.of("put them together") : Optional.empty();
  }

  @Override
  public BackendDescriptor descriptor() {
    return new BackendDescriptor(
        id,
        aliases,
        "1.0",
        "Quantizes nothing.",
        modes,
        List.of("fake"),
        List.of("fake.out", "fake.small"),
        List.of(),
        List.of(
            OptionDescriptor.flag("runtime_modules", false, "Does nothing."),
            OptionDescriptor.choice("kernel", List.of("dequantize", "int8pack"), "Nothing.")));
  }

  @Override
  public Availability availability() {
    return availability;
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return problems;
  }

  @Override
  public Support supports(SupportQuery query) {
    String type = query.module().type();
    if (query.operand() == Operand.ACTIVATIONS && type.equals("Embedding")) {
      return Support.no("indices are no activations");
    }
    if (query.granularity() instanceof Granularity.PerGroup group && group.size() != 32) {
      return Support.no("groups have 32 values");
    }
    return switch (type) {
      case "Linear", "Embedding" -> Support.yes();
      case "Conv2d" -> Support.partly(Map.of("fake.small", "there is no room for Conv2d"));
      case "Add" ->
          query.dtype().equals(Dtype.INT8)
              ? Support.yes()
              : Support.no("Add takes int8 and no " + query.dtype());
      default -> Support.no("there is no kernel for " + type);
    };
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    calls.add("begin");
    return new FakeRun(plan, context);
  }

  private final class FakeRun implements QuantizationRun {

    private final QuantizationPlan plan;
    private final RunContext context;

    FakeRun(QuantizationPlan plan, RunContext context) {
      this.plan = plan;
      this.context = context;
    }

    @Override
    public Map<String, Observation> observations() {
      boolean observes =
          modes.containsKey(plan.mode())
              && modes.get(plan.mode()).calibration() == Calibration.REQUIRED;
      Map<String, Observation> observations = new LinkedHashMap<>();
      if (observes) {
        plan.quantized()
            .forEach(decision -> observations.put(decision.module(), Observation.EXTREMES));
      }
      return observations;
    }

    @Override
    public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
      calls.add("observe");
      return CalibrationStatistics.NONE;
    }

    @Override
    public void use(CalibrationStatistics statistics) {
      calls.add("use");
    }

    @Override
    public void quantize() {
      calls.add("quantize");
    }

    @Override
    public SavedModel save(Path directory) {
      calls.add("save " + directory);
      told.forEach(context.listener()::onWarning);
      List<QuantizationWarning> warnings = new ArrayList<>(plan.warnings());
      warnings.addAll(inReport);
      return new SavedModel(
          List.of(
              new Artifact(
                  directory.resolve("fake.out"), Artifact.Role.MODEL, "fake", 0, "Nothing.")),
          new QuantizationReport(plan.backend(), plan.mode(), List.of(), warnings));
    }

    @Override
    public void close() {
      calls.add("close");
    }
  }
}
