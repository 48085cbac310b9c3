package dev.kvant.runtime.tuning;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModulePattern;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.SavedModel;
import dev.kvant.api.VerificationConfig;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import dev.kvant.runtime.plan.PartialPlan;
import dev.kvant.runtime.tuning.TuningTrial.Measured;
import dev.kvant.runtime.verification.TemporaryFolder;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Tries the recipes of the backends, then leaves the most sensitive groups of the promising ones
 * native. Looks at the samples of the search only; held-out samples decide in the end.
 */
final class Search {

  /** How many recipes that miss the accuracy by little are mended. */
  private static final int MENDED = 2;

  /** Of artifacts within that share of the smallest, the most accurate is best. */
  private static final double SAME_SIZE = 1.02;

  /** Of artifacts within that share of the fastest, the most accurate is best. */
  private static final double SAME_SPEED = 0.95;

  private final QuantizableModel model;
  private final Function<ModelQuantizationConfig, TrialQuantizer> quantizers;
  private final TuningRequest request;
  private final List<Recipe> recipes;
  private final CalibrationDataset calibration;
  private final Trials search;
  private final Trials heldOut;
  private final ModelRunner source;
  private final ProgressReporter progress;
  private final KnownStatistics known;
  private final Clock clock;
  private final List<TuningTrial> trials = new ArrayList<>();
  private final Map<ModelQuantizationConfig, TuningTrial> tried = new HashMap<>();
  private final Set<ModelQuantizationConfig> calibrated = new HashSet<>();
  private boolean isComplete = true;

  /**
   * @param recipes the recipes to try, the most promising first
   * @param calibration the samples that calibrate
   * @param search compares artifacts on the samples of the search
   * @param heldOut compares artifacts on the others
   * @param source the loaded model; stays open
   * @param known what was observed on the samples that calibrate
   * @param nanoTime the time in nanoseconds
   */
  Search(
      QuantizableModel model,
      Function<ModelQuantizationConfig, TrialQuantizer> quantizers,
      TuningRequest request,
      List<Recipe> recipes,
      CalibrationDataset calibration,
      Trials search,
      Trials heldOut,
      ModelRunner source,
      KnownStatistics known,
      QuantizationListener listener,
      LongSupplier nanoTime) {
    this.model = model;
    this.quantizers = quantizers;
    this.request = request;
    this.recipes = recipes;
    this.calibration = calibration;
    this.search = search;
    this.heldOut = heldOut;
    this.source = source;
    this.known = known;
    this.progress = new ProgressReporter(listener, "tune", -1, "trials");
    this.clock = new Clock(request.time(), nanoTime);
  }

  /**
   * Searches until all is tried, the time is over, or the thread is interrupted.
   *
   * @return whether all was tried
   */
  boolean run() {
    try {
      for (Recipe recipe : recipes) {
        if (clock.isOver()) {
          return false;
        }
        add(recipe);
      }
      return refine() && isComplete;
    } catch (KvantException | UncheckedIOException e) {
      // Whatever an interrupt ended, what is finished stays valid.
      if (!Thread.currentThread().isInterrupted()) {
        throw e;
      }
      return false;
    }
  }

  /** All that was tried. */
  List<TuningTrial> trials() {
    return List.copyOf(trials);
  }

  /** Whether a configuration that was tried is quantized with statistics. */
  boolean isCalibrated(TuningTrial trial) {
    return calibrated.contains(trial.recipe().config());
  }

  private TuningTrial add(Recipe recipe) {
    TuningTrial before = tried.get(recipe.config());
    if (before != null) {
      return before;
    }
    progress.checkCancelled();
    clock.begins();
    TuningTrial trial = trial(recipe);
    clock.ends();
    trials.add(trial);
    tried.put(recipe.config(), trial);
    progress.advance(1, trial.name() + clock.left());
    request.onTrial().accept(trial);
    return trial;
  }

  private static ModelQuantizationConfig unverified(ModelQuantizationConfig config) {
    return config.toBuilder().resultsDir(null).verify(VerificationConfig.OFF).build();
  }

  private TuningTrial trial(Recipe recipe) {
    String name = Explanation.name(recipe.config());
    try (TrialQuantizer quantizer = quantizers.apply(unverified(recipe.config()))) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, calibration, known);
      if (quantizer.hasStatistics(prepared)) {
        calibrated.add(recipe.config());
      }
      try (TemporaryFolder folder = TemporaryFolder.create()) {
        SavedModel saved = quantizer.save(prepared, prepared.plan(), folder.path());
        try (ModelRunner runner = search.open(saved)) {
          return new TuningTrial(
              name,
              recipe,
              new Measured(
                  bytes(saved),
                  search.accuracy(runner, progress),
                  heldOut.accuracy(runner, progress),
                  search.latency(source, runner)),
              null);
        }
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException | UncheckedIOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      // A recipe that does not suit the model ends its own trial only.
      return new TuningTrial(name, recipe, null, String.valueOf(e.getMessage()));
    }
  }

  /** The artifact that was compared, and the files that belong beside it. */
  private long bytes(SavedModel saved) {
    Artifact compared = Trials.artifact(saved, model);
    return saved.artifacts().stream()
        .filter(
            each ->
                each.equals(compared)
                    || (!each.isModel() && each.format().equals(compared.format())))
        .mapToLong(Artifact::bytes)
        .sum();
  }

  /** Leaves sensitive groups native; false if the time is over. */
  private boolean refine() {
    if (request.budget().limitsAccuracy()) {
      for (TuningTrial base : misses()) {
        if (!mend(base)) {
          return false;
        }
      }
    }
    Optional<TuningTrial> best = best(trials, request, false).or(() -> nearest(trials, request));
    return best.isEmpty() || improve(best.get());
  }

  /** Trials that would be better than the best if they were accurate enough, the closest first. */
  private List<TuningTrial> misses() {
    TuningBudget budget = request.budget();
    Optional<TuningTrial> best = best(trials, request, false);
    return trials.stream()
        .filter(trial -> trial.figures() != null)
        .filter(trial -> budget.allowsCost(figures(trial)))
        .filter(trial -> !budget.allows(figures(trial).search()))
        .filter(trial -> !Double.isNaN(cosine(trial)))
        .filter(trial -> best.isEmpty() || isCheaper(trial, best.get()))
        .sorted(Comparator.comparingDouble(Search::cosine).reversed())
        .limit(MENDED)
        .toList();
  }

  private boolean isCheaper(TuningTrial trial, TuningTrial best) {
    return switch (request.preference()) {
      case SIZE -> figures(trial).bytes() < figures(best).bytes() / SAME_SIZE;
      case SPEED ->
          figures(trial).latency().speedup() > figures(best).latency().speedup() / SAME_SPEED;
      case ACCURACY -> false;
    };
  }

  /**
   * Finds by halving how many of the most sensitive groups stay native at least; false if the time
   * is over.
   */
  private boolean mend(TuningTrial base) {
    List<List<String>> order = mostSensitive(base);
    int missing = 0;
    int enough = order.size();
    while (enough - missing > 1) {
      if (clock.isOver()) {
        return false;
      }
      int middle = (missing + enough) / 2;
      TuningTrial trial = without(base, order.subList(0, middle));
      if (trial.figures() != null && request.budget().allows(figures(trial).search())) {
        enough = middle;
      } else {
        missing = middle;
      }
    }
    return !clock.isOver();
  }

  /**
   * Leaves more and more groups native while size and speed stay within the budget; false if the
   * time is over.
   */
  private boolean improve(TuningTrial base) {
    List<List<String>> order = mostSensitive(base);
    for (int count = 1; count <= order.size() / 2; count = Math.max(count + 1, count * 3 / 2)) {
      if (clock.isOver()) {
        return false;
      }
      TuningTrial trial = without(base, order.subList(0, count));
      if (trial.figures() != null && !request.budget().allowsCost(figures(trial))) {
        break;
      }
    }
    return true;
  }

  private TuningTrial without(TuningTrial base, List<List<String>> groups) {
    ModelQuantizationConfig.Builder config = base.recipe().config().toBuilder();
    groups.forEach(group -> group.forEach(module -> config.skip(literal(module))));
    return add(base.recipe().with(config.build()));
  }

  /** A pattern that matches this name alone of all names; a class of that name matches too. */
  static String literal(String name) {
    StringBuilder pattern = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      pattern.append(c == '*' || c == '?' || c == '[' ? "[" + c + "]" : String.valueOf(c));
    }
    return pattern.toString();
  }

  /**
   * The groups that a trial quantizes, the one first whose quantization costs the most noise for
   * each byte that it saves. Empty if the time is over before that is known, or if it cannot be
   * measured; the search is not complete then.
   */
  private List<List<String>> mostSensitive(TuningTrial base) {
    try {
      Optional<List<List<String>>> order = inOrder(base);
      isComplete &= order.isPresent();
      return order.orElse(List.of());
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException | UncheckedIOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      // What was tried so far is known all the same, and others can be measured.
      isComplete = false;
      return List.of();
    }
  }

  private Optional<List<List<String>>> inOrder(TuningTrial base) {
    try (TrialQuantizer quantizer = quantizers.apply(unverified(base.recipe().config()))) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, calibration, known);
      List<List<String>> groups =
          ModuleGroups.of(prepared.plan(), prepared.model(), quantizer.groups(prepared)).stream()
              .filter(group -> canBeNamed(group, prepared.model()))
              .toList();
      Map<List<String>, Double> relief = new HashMap<>();
      double all = noise(figures(base).search().similarity());
      for (List<String> group : groups) {
        if (clock.isOver()) {
          return Optional.empty();
        }
        clock.begins();
        progress.advance(0, "sensitivity of " + group.get(0) + clock.left());
        Set<String> members = new HashSet<>(group);
        QuantizationPlan plan =
            PartialPlan.of(prepared.plan(), decision -> !members.contains(decision.module()));
        try (TemporaryFolder folder = TemporaryFolder.create()) {
          SavedModel saved = quantizer.save(prepared, plan, folder.path());
          double others = noise(search.similarity(saved, progress));
          relief.put(group, (all - others) / Math.max(1, bytes(saved, members)));
        }
        clock.ends();
      }
      return Optional.of(
          groups.stream()
              .sorted(
                  Comparator.comparingDouble(
                          (List<String> group) -> Objects.requireNonNull(relief.get(group)))
                      .reversed())
              .toList());
    }
  }

  /** Whether patterns of their names match these modules alone: a class may have such a name. */
  private static boolean canBeNamed(List<String> modules, QuantizableModel model) {
    Set<String> members = new HashSet<>(modules);
    List<ModulePattern> patterns =
        modules.stream()
            .filter(name -> !name.isBlank())
            .map(name -> ModulePattern.of(literal(name)))
            .toList();
    return patterns.size() == modules.size()
        && Stream.concat(model.modules().stream(), model.operators().stream())
            .filter(module -> !members.contains(module.name()))
            .noneMatch(module -> patterns.stream().anyMatch(pattern -> pattern.matches(module)));
  }

  /** The size of modules that stay native. */
  private static long bytes(SavedModel saved, Set<String> modules) {
    return saved.report().modules().stream()
        .filter(report -> modules.contains(report.decision().module()))
        .mapToLong(ModuleReport::bytesBefore)
        .sum();
  }

  private static double noise(OutputSimilarity similarity) {
    double noise = SensitivityReport.noise(similarity);
    return Double.isNaN(noise) ? Double.MAX_VALUE : noise;
  }

  private static Measured figures(TuningTrial trial) {
    return Objects.requireNonNull(trial.figures());
  }

  private static double cosine(TuningTrial trial) {
    return figures(trial).search().similarity().cosineMean();
  }

  /**
   * The best trial within the budget.
   *
   * @param isFinal whether it must be within the budget on held-out samples too
   */
  static Optional<TuningTrial> best(
      List<TuningTrial> trials, TuningRequest request, boolean isFinal) {
    TuningBudget budget = request.budget();
    List<TuningTrial> within =
        trials.stream()
            .filter(trial -> trial.figures() != null)
            .filter(trial -> budget.allowsCost(figures(trial)))
            .filter(trial -> budget.allows(figures(trial).search()))
            .filter(trial -> !isFinal || budget.excess(figures(trial)).isEmpty())
            .toList();
    List<TuningTrial> equal =
        switch (request.preference()) {
          case SIZE -> {
            double smallest =
                within.stream().mapToLong(trial -> figures(trial).bytes()).min().orElse(0);
            yield within.stream()
                .filter(trial -> figures(trial).bytes() <= smallest * SAME_SIZE)
                .toList();
          }
          case SPEED -> {
            double fastest =
                within.stream()
                    .mapToDouble(trial -> figures(trial).latency().speedup())
                    .max()
                    .orElse(0);
            yield within.stream()
                .filter(trial -> figures(trial).latency().speedup() >= fastest * SAME_SPEED)
                .toList();
          }
          case ACCURACY -> within;
        };
    return equal.stream().max(Comparator.comparingDouble(Search::cosine));
  }

  /** The most accurate trial of those within size and speed, or of all. */
  static Optional<TuningTrial> nearest(List<TuningTrial> trials, TuningRequest request) {
    List<TuningTrial> measured =
        trials.stream()
            .filter(trial -> trial.figures() != null && !Double.isNaN(cosine(trial)))
            .toList();
    return measured.stream()
        .filter(trial -> request.budget().allowsCost(figures(trial)))
        .max(Comparator.comparingDouble(Search::cosine))
        .or(() -> measured.stream().max(Comparator.comparingDouble(Search::cosine)));
  }

  /** The trials that no other trial beats, in their order. */
  static List<TuningTrial> frontier(List<TuningTrial> trials) {
    List<TuningTrial> measured =
        trials.stream()
            .filter(trial -> trial.figures() != null && !Double.isNaN(cosine(trial)))
            .toList();
    return measured.stream()
        .filter(trial -> measured.stream().noneMatch(other -> beats(other, trial)))
        .toList();
  }

  private static boolean beats(TuningTrial one, TuningTrial other) {
    double speed = figures(one).latency().speedup();
    double otherSpeed = figures(other).latency().speedup();
    boolean isNoWorse =
        figures(one).bytes() <= figures(other).bytes()
            && speed >= otherSpeed
            && cosine(one) >= cosine(other);
    return isNoWorse
        && (figures(one).bytes() < figures(other).bytes()
            || speed > otherSpeed
            || cosine(one) > cosine(other));
  }

  /** Ends the search before a trial that would end too late. */
  private static final class Clock {

    private final LongSupplier nanoTime;
    private final @Nullable Duration limit;
    private final long start;
    private long began;
    private long last;

    Clock(@Nullable Duration limit, LongSupplier nanoTime) {
      this.limit = limit;
      this.nanoTime = nanoTime;
      this.start = nanoTime.getAsLong();
      this.began = start;
    }

    void begins() {
      began = nanoTime.getAsLong();
    }

    /** The next trial is expected to take as long as this one. */
    void ends() {
      last = nanoTime.getAsLong() - began;
    }

    boolean isOver() {
      return limit != null && nanoTime.getAsLong() - start + last > limit.toNanos();
    }

    String left() {
      return limit == null
          ? ""
          : ", %s left"
              .formatted(
                  RemainingTime.text(
                      Duration.ofNanos(
                          Math.max(0, limit.toNanos() - (nanoTime.getAsLong() - start)))));
    }
  }
}
