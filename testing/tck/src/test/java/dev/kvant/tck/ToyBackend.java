package dev.kvant.tck;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.observer.TensorObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.Observation;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes toy models: int8 and int4, per tensor, by the largest magnitude. Has one {@link Defect}
 * at most.
 */
public class ToyBackend implements QuantizationBackend {

  static final String ARTIFACT = "quantized.toy";
  private static final String SMALL = "small.bin";
  private static final Dtype INT4 = Dtype.of("int4");
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final Defect defect;
  private final AtomicInteger busy = new AtomicInteger();
  private @Nullable SupportQuery lastQuery;

  /** For {@link java.util.ServiceLoader}. */
  public ToyBackend() {
    this(Defect.NONE);
  }

  ToyBackend(Defect defect) {
    this.defect = defect;
    if (has(Defect.READS_A_FILE_WHEN_MADE)) {
      try {
        Files.readAllBytes(ToyModels.good());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (has(Defect.STARTS_A_THREAD_WHEN_MADE)) {
      startIdleThread();
    }
  }

  private boolean has(Defect some) {
    return defect == some;
  }

  private static void startIdleThread() {
    Thread thread = new Thread(() -> awaitForever(), "idle toy");
    thread.setDaemon(true);
    thread.start();
  }

  private static void awaitForever() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public BackendDescriptor descriptor() {
    List<Dtype> weights = new ArrayList<>(List.of(Dtype.INT8, INT4));
    if (has(Defect.NATIVE_AS_DTYPE)) {
      weights.add(Dtype.NATIVE);
    }
    return new BackendDescriptor(
        "toy",
        has(Defect.ALIAS_LIKE_ID) ? List.of("Toy") : List.of("plaything"),
        has(Defect.CHANGING_DESCRIPTOR) ? "1." + COUNTER.incrementAndGet() : "1.0",
        has(Defect.NO_PURPOSE) ? " " : "Quantizes toys.",
        modes(weights),
        List.of(ToyFormat.ID),
        List.of(ARTIFACT, SMALL),
        List.of(),
        List.of(
            OptionDescriptor.flag("fast", false, "Does nothing."),
            OptionDescriptor.choice("style", List.of("plain", "fancy"), "Does nothing."),
            new OptionDescriptor(
                "bits",
                OptionDescriptor.Type.INTEGER,
                List.of(),
                has(Defect.ODD_OPTION_DEFAULT) ? "many" : "8",
                "Does nothing.")));
  }

  /** In this order: {@code Map.of} has another one in each process. */
  private static Map<QuantizationMode, ModeDescriptor> modes(List<Dtype> weights) {
    Map<QuantizationMode, ModeDescriptor> modes = new LinkedHashMap<>();
    modes.put(QuantizationMode.WEIGHT_ONLY_PTQ, ModeDescriptor.builder().weights(weights).build());
    modes.put(
        QuantizationMode.STATIC_PTQ,
        ModeDescriptor.builder()
            .weights(List.of(Dtype.INT8))
            .activations(List.of(Dtype.INT8))
            .algorithms(List.of(CalibrationAlgorithm.MINMAX))
            .calibration(ModeDescriptor.Calibration.OPTIONAL)
            .build());
    return modes;
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return has(Defect.REJECTS_ITS_OWN_DTYPE) && config.defaultLayerDtype().equals(INT4)
        ? List.of(new ConfigurationProblem("quantize.default_layer_dtype", "int4 is for adults"))
        : List.of();
  }

  @Override
  public List<Recipe> alternatives(QuantizableModel model, RecipeRequest request) {
    List<Recipe> recipes = QuantizationBackend.super.alternatives(model, request);
    return has(Defect.OFFERS_A_RECIPE_TWICE)
        ? Stream.concat(recipes.stream(), recipes.stream()).toList()
        : recipes;
  }

  @Override
  public Support supports(SupportQuery query) {
    if (has(Defect.CHANGES_ITS_MIND) && query.equals(lastQuery)) {
      return Support.no("not again");
    }
    lastQuery = query;
    if (has(Defect.OFFERS_WHAT_IT_REFUSES) && query.dtype().equals(INT4)) {
      return Support.no("int4 is for adults");
    }
    boolean isFloat32 =
        query.module().tensors().stream()
            .allMatch(tensor -> tensor.elementType().equals(ElementType.FLOAT32));
    if (!isFloat32 && !has(Defect.SUPPORTS_INTEGERS)) {
      boolean isUntried = query.module().hasWeights() && has(Defect.SUPPORTS_UNTRIED_TYPES);
      return isUntried ? Support.yes() : Support.no("its weights are not float32");
    }
    return switch (query.module().type()) {
      case "Linear" -> Support.yes();
      case "Conv2d" ->
          query.operand() == Operand.WEIGHTS
              ? Support.partly(Map.of(SMALL, "too-large"))
              : Support.no("its input is no toy");
      default ->
          Support.no(
              has(Defect.REFUSES_WITHOUT_REASON) ? "" : query.module().type() + " is no toy");
    };
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    if (has(Defect.LEAVES_A_THREAD)) {
      startIdleThread();
    }
    return new ToyRun(model, plan, context);
  }

  private final class ToyRun implements QuantizationRun {

    private final QuantizableModel model;
    private final QuantizationPlan plan;
    private final RunContext context;
    private CalibrationStatistics statistics = CalibrationStatistics.NONE;
    private int timesObserved;
    private boolean closed;

    ToyRun(QuantizableModel model, QuantizationPlan plan, RunContext context) {
      this.model = model;
      this.plan = plan;
      this.context = context;
    }

    @Override
    public Map<String, Observation> observations() {
      Map<String, Observation> observations = new LinkedHashMap<>();
      plan.quantized().stream()
          .filter(decision -> decision.activations().isQuantized())
          .forEach(decision -> observations.put(decision.module(), Observation.EXTREMES));
      return observations;
    }

    @Override
    public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
      timesObserved++;
      ProgressReporter progress =
          new ProgressReporter(context.listener(), "calibrate", -1, "batches");
      TensorObserver observer =
          least == Observation.EXTREMES
              ? TensorObserver.ofExtremes()
              : TensorObserver.ofDistribution();
      for (TensorBatch batch : data) {
        batch
            .inputs()
            .values()
            .forEach(tensor -> observer.observe(FloatBuffer.wrap(tensor.toFloats()), 0));
        progress.advance(1, "");
      }
      Map<String, Optional<TensorStatistics>> seen = new LinkedHashMap<>();
      if (!has(Defect.NEVER_CALIBRATES)) {
        observations().keySet().forEach(name -> seen.put(name, observer.statistics()));
      }
      return new CalibrationStatistics(seen);
    }

    @Override
    public void use(CalibrationStatistics statistics) {
      this.statistics = statistics;
    }

    @Override
    public SavedModel save(Path directory) {
      try {
        if (has(Defect.WANTS_THE_FOLDER) && !Files.exists(directory)) {
          throw new IllegalStateException("there is no " + directory);
        }
        if (has(Defect.EMPTIES_THE_FOLDER)) {
          empty(directory);
        }
        if (has(Defect.LEAVES_A_TEMPORARY_FILE)) {
          Files.createDirectories(directory);
          Files.createTempFile(directory, "toy", ".tmp");
        }
        if (has(Defect.CHOKES_ON_AN_OPTION) && context.options().text("style").equals("fancy")) {
          throw new IllegalStateException("fancy toys are sold out");
        }
        return write(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void empty(Path directory) throws IOException {
      if (Files.exists(directory)) {
        try (Stream<Path> files = Files.list(directory)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
      }
    }

    private SavedModel write(Path directory) throws IOException {
      String name = has(Defect.UNNAMED_ARTIFACT) ? "another.toy" : ARTIFACT;
      ToyModel source = ((ToyModel) model).open();
      List<ModuleReport> modules = new ArrayList<>();
      try (ArtifactTransaction transaction = ArtifactTransaction.begin(directory)) {
        Path file = transaction.create(name);
        Path small = transaction.create(SMALL);
        Files.writeString(file, content(source, modules));
        Files.writeString(small, "small");
        transaction.commit();
      }
      if (has(Defect.WRITES_INTO_THE_MODEL)) {
        Files.writeString(source.source(), "\n", StandardOpenOption.APPEND);
      }
      Path target = directory.resolve(name);
      long bytes = has(Defect.WRONG_SIZE) ? 1 : Files.size(target);
      return new SavedModel(
          List.of(
              new Artifact(target, Artifact.Role.MODEL, ToyFormat.ID, bytes, "A smaller toy."),
              new Artifact(directory.resolve(SMALL), Artifact.Role.MODEL, "bin", 5, "A tiny toy.")),
          report(modules));
    }

    private QuantizationReport report(List<ModuleReport> modules) {
      return new QuantizationReport(
          plan.backend(),
          plan.mode(),
          modules,
          has(Defect.REPORT_WITHOUT_PLAN_WARNINGS) ? List.of() : plan.warnings());
    }

    private String content(ToyModel source, List<ModuleReport> reports) {
      StringJoiner lines = new StringJoiner("\n");
      lines.add(has(Defect.UNREADABLE_ARTIFACT) ? "something else" : ToyFormat.MAGIC.strip());
      statistics
          .tensors()
          .forEach(
              (name, seen) -> lines.add("range " + seen.map(TensorStatistics::range).orElse(null)));
      if (has(Defect.COUNTS_WHAT_IT_OBSERVES)) {
        lines.add("observed " + timesObserved);
      }
      if (has(Defect.RANDOM_BYTES)) {
        lines.add("run " + COUNTER.incrementAndGet());
      }
      if (has(Defect.THREADS_SHOW)) {
        lines.add("threads " + context.parallelism());
      }
      Steps steps = new Steps(source.lines().size());
      if (has(Defect.SHARES_STATE) && isBusy()) {
        lines.add("busy");
      }
      for (String[] module : source.lines()) {
        boolean quantized =
            plan.module(module[1]).map(decision -> report(decision, module, reports)).orElse(false);
        boolean written = has(Defect.QUANTIZES_ALL) ? module[3].equals("FLOAT32") : quantized;
        if (written && !has(Defect.QUANTIZES_NOTHING)) {
          lines.add(ToyModel.SCALE + module[1] + " " + scale(module));
          lines.add(String.join(" ", inIntegers(module)));
        } else {
          lines.add(String.join(" ", has(Defect.NATIVE_AS_ZEROS) ? zeros(module) : module));
        }
        steps.advance(module[1]);
      }
      if (!has(Defect.FORGETS_THE_RECORD)) {
        lines.add(
            ToyModel.RECORD + Base64.getEncoder().encodeToString(context.record(report(reports))));
      }
      return lines.add("end").toString();
    }

    private boolean report(ModuleDecision decision, String[] module, List<ModuleReport> reports) {
      boolean quantized = decision.weights().isQuantized();
      if (quantized && !has(Defect.TAKES_NAN) && List.of(module).contains("NaN")) {
        throw new QuantizationException("the weight of %s holds NaN".formatted(module[1]));
      }
      if (quantized || !has(Defect.REPORT_WITHOUT_NATIVE_MODULES)) {
        reports.add(
            ModuleReport.builder(decision)
                .weights(outcome(decision, quantized, module))
                .bytes(16, 4)
                .build());
      }
      return quantized;
    }

    private OperandOutcome outcome(ModuleDecision decision, boolean quantized, String[] module) {
      if (!quantized) {
        return OperandOutcome.asPlanned(decision.weights());
      }
      return has(Defect.REPORTS_QUANTIZED_AS_NATIVE)
          ? OperandOutcome.leftNative("it was too hard")
          : OperandOutcome.quantized(
              decision.weights().dtype(),
              Granularity.TENSOR,
              has(Defect.QUANTIZED_AS_ZEROS) ? 45 : sqnr(module));
    }

    private double sqnr(String[] module) {
      String[] integers = inIntegers(module);
      float[] values = new float[module.length - 4];
      float[] restored = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.parseFloat(module[i + 4]);
        restored[i] = (float) (Double.parseDouble(integers[i + 4]) * scale(module));
      }
      return QuantizationError.between(values, restored).sqnrDecibels();
    }

    /** The largest magnitude of a line, by 127. */
    private double scale(String[] module) {
      double largest = 0;
      for (int i = 4; i < module.length; i++) {
        largest = Math.max(largest, Math.abs(Double.parseDouble(module[i])));
      }
      return largest / 127;
    }

    private String[] inIntegers(String[] module) {
      String[] integers = has(Defect.QUANTIZED_AS_ZEROS) ? zeros(module) : module.clone();
      integers[3] = "INT8";
      for (int i = 4; i < module.length; i++) {
        integers[i] = String.valueOf(Math.round(Double.parseDouble(integers[i]) / scale(module)));
      }
      return integers;
    }

    private String[] zeros(String[] module) {
      String[] zeros = module.clone();
      Arrays.fill(zeros, 4, zeros.length, "0");
      return zeros;
    }

    private boolean isBusy() {
      boolean others = busy.incrementAndGet() > 1;
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      busy.decrementAndGet();
      return others;
    }

    @Override
    public void close() {
      if (closed && has(Defect.CLOSES_ONCE)) {
        throw new IllegalStateException("closed already");
      }
      closed = true;
      if (has(Defect.CLOSES_THE_MODEL)) {
        model.close();
      }
    }

    /** Tells of progress, each defect in its own way. */
    private final class Steps {

      private final ProgressReporter reporter;
      private final long total;
      private long done;

      Steps(long total) {
        this.total = has(Defect.STOPS_SHORT) ? total + 1 : total;
        this.reporter = new ProgressReporter(listener(), "save", this.total, "modules");
      }

      private QuantizationListener listener() {
        if (has(Defect.REPORTS_ELSEWHERE)) {
          return new Elsewhere(context.listener());
        }
        return has(Defect.SILENT) ? QuantizationListener.NONE : context.listener();
      }

      void advance(String item) {
        if (has(Defect.DEAF)) {
          context.listener().onProgress(new Progress("save", ++done, total, "modules", item));
          Thread.interrupted();
          return;
        }
        try {
          reporter.advance(1, item);
        } catch (QuantizationCancelledException e) {
          if (has(Defect.SWALLOWS_THE_FLAG)) {
            Thread.interrupted();
          }
          if (has(Defect.CLOSES_THE_MODEL_WHEN_INTERRUPTED)) {
            model.close();
          }
          throw e;
        }
      }
    }
  }

  /** Passes on what it hears, on another thread. */
  private record Elsewhere(QuantizationListener listener) implements QuantizationListener {

    @Override
    public void onProgress(Progress progress) {
      Thread thread = new Thread(() -> listener.onProgress(progress), "elsewhere");
      thread.start();
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
