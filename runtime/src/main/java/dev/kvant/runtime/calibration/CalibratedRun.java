package dev.kvant.runtime.calibration;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Internal;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A backend's run, with the statistics that it uses: observed now, kept from an earlier run, or
 * merged from files.
 *
 * @since 0.1.0
 */
@Internal
public final class CalibratedRun implements AutoCloseable {

  /** Of how many tensors a warning counts the values that were left out. */
  private static final int NAMED = 20;

  private final QuantizationRun run;
  private final QuantizableModel model;
  private final RunContext context;
  private @Nullable StatisticsFile statistics;
  private @Nullable String modelFingerprint;
  private @Nullable Path knownFrom;
  private boolean closed;

  /**
   * Takes over a run.
   *
   * @param run closed by this
   * @param model the model that it quantizes
   */
  public CalibratedRun(QuantizationRun run, QuantizableModel model, RunContext context) {
    this.run = run;
    this.model = model;
    this.context = context;
  }

  /** Whether the run must observe tensors, and has no statistics of them. */
  public boolean lacksStatistics() {
    return statistics == null && !run.observations().isEmpty();
  }

  /** Whether the run uses statistics. */
  public boolean hasStatistics() {
    return statistics != null;
  }

  /** Whether {@link #close} was called. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Observes the model on data, or takes what the cache of the backend's options knows of that.
   *
   * @throws CalibrationException if there is no data, it does not fit the model or the cache, or a
   *     value is not finite
   */
  public void observe(CalibrationDataset data) {
    statistics = null;
    knownFrom = null;
    String cache =
        context.options().declares(OptionDescriptor.CALIBRATION_CACHE)
            ? context.options().text(OptionDescriptor.CALIBRATION_CACHE)
            : "";
    if (cache.isEmpty()) {
      use(observed(data, Observation.EXTREMES));
    } else {
      observeOnce(data, Path.of(cache));
    }
  }

  /**
   * Takes what is known of the model, and observes the model only if that does not tell all that
   * the run needs.
   *
   * @param known what was observed on the same data; what is observed is added
   * @throws CalibrationException if there is no data, it does not fit the model, or a value is not
   *     finite
   */
  public void observe(CalibrationDataset data, KnownStatistics known) {
    Map<String, Observation> needed = run.observations();
    if (needed.isEmpty()) {
      return;
    }
    if (!known.tell(needed)) {
      known.add(run.observe(data, Observation.DISTRIBUTION));
    }
    Map<String, Optional<TensorStatistics>> own = new TreeMap<>(known.statistics().tensors());
    own.keySet().retainAll(needed.keySet());
    use(new StatisticsFile("", List.of(), new CalibrationStatistics(own)));
  }

  /** The modules that read one tensor. */
  public List<List<String>> groups() {
    return run.groups();
  }

  private StatisticsFile observed(CalibrationDataset data, Observation least) {
    var marked = new DataFingerprint(data);
    // The model's fingerprint takes a pass over its files, so only what is kept has one.
    return new StatisticsFile("", List.of(), run.observe(marked, least)).withData(marked.value());
  }

  /** Runs the data only if the cache is not there. */
  private void observeOnce(CalibrationDataset data, Path cache) {
    if (Files.exists(cache)) {
      StatisticsFile known = StatisticsFile.read(cache);
      known.check(cache, fingerprint(), run.observations());
      var marked = new DataFingerprint(data);
      var progress =
          new ProgressReporter(
              context.listener(), "calibrate", data.batches().orElse(-1), "batches");
      for (TensorBatch batch : marked) {
        progress.advance(1, "%s, known from the cache".formatted(batch.inputs().keySet()));
      }
      known.checkData(cache, marked.value(), data.nonFinite());
      use(known);
      knownFrom = cache;
      return;
    }
    StatisticsFile.checkWritable(cache);
    StatisticsFile observed = observed(data, Observation.DISTRIBUTION).withModel(fingerprint());
    observed.write(cache);
    use(observed);
  }

  /**
   * Uses what files know.
   *
   * @param files statistics of parts of the data, in any order
   * @throws CalibrationException if one cannot be read, or is of another model or plan
   */
  public void use(List<Path> files) {
    statistics = null;
    knownFrom = null;
    StatisticsFile merged = null;
    for (Path file : files) {
      StatisticsFile part = StatisticsFile.read(file);
      part.check(file, fingerprint(), run.observations());
      merged = merged == null ? part : merged.plus(part, file);
    }
    if (merged == null) {
      throw new CalibrationException("no statistics file is given");
    }
    use(merged);
    knownFrom = files.get(files.size() - 1);
  }

  private void use(StatisticsFile known) {
    run.use(known.statistics());
    statistics = known;
  }

  /**
   * Writes what the run uses.
   *
   * @throws CalibrationException if nothing was observed
   */
  public void writeStatistics(Path file) {
    if (statistics == null) {
      throw new CalibrationException("nothing was observed yet; calibrate the model first");
    }
    statistics.withModel(fingerprint()).write(file);
  }

  private String fingerprint() {
    String known = modelFingerprint;
    if (known == null) {
      known = ModelFingerprint.of(model);
      modelFingerprint = known;
    }
    return known;
  }

  /**
   * Another run with the statistics of this one.
   *
   * @param other a run of a plan that quantizes some of the modules of this one; closed by what
   *     this gives
   */
  public CalibratedRun again(QuantizationRun other) {
    CalibratedRun again = new CalibratedRun(other, model, context);
    StatisticsFile known = statistics;
    if (known != null) {
      again.use(known);
    }
    return again;
  }

  /** Does what can be done before anything is written. */
  public void quantize() {
    run.quantize();
  }

  /** Writes the artifacts. */
  public SavedModel save(Path directory) {
    SavedModel saved = withIgnored(run.save(directory));
    Path source = knownFrom;
    return source == null
        ? saved
        : new SavedModel(saved.artifacts(), withSource(saved.report(), source));
  }

  private SavedModel withIgnored(SavedModel saved) {
    Map<String, Long> ignored = statistics == null ? Map.of() : statistics.ignored();
    if (ignored.isEmpty()) {
      return saved;
    }
    QuantizationReport report = saved.report();
    List<QuantizationWarning> warnings = new ArrayList<>(report.warnings());
    warnings.add(
        new QuantizationWarning(
            QuantizationWarning.Kind.CALIBRATION,
            "calibration ignored values that are NaN or infinite: " + counted(ignored),
            null,
            List.of()));
    return new SavedModel(saved.artifacts(), report.withWarnings(warnings));
  }

  private static String counted(Map<String, Long> ignored) {
    String counts =
        ignored.entrySet().stream()
            .limit(NAMED)
            .map(tensor -> "%s of '%s'".formatted(tensor.getValue(), tensor.getKey()))
            .collect(Collectors.joining(", "));
    return ignored.size() <= NAMED
        ? counts
        : "%s and others of %s more".formatted(counts, ignored.size() - NAMED);
  }

  /** Says of each module whose input is quantized where its range is known from. */
  private static QuantizationReport withSource(QuantizationReport report, Path source) {
    return report.withModules(
        report.modules().stream()
            .map(
                module ->
                    module.activations().isQuantized()
                        ? withNote(module, "its input is known from " + source)
                        : module)
            .toList());
  }

  private static ModuleReport withNote(ModuleReport module, String note) {
    return module.toBuilder()
        .note(module.note() == null ? note : note + "; " + module.note())
        .build();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      run.close();
    }
  }
}
