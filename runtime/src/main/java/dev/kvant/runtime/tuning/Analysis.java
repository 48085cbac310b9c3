package dev.kvant.runtime.tuning;

import dev.kvant.api.KvantException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import dev.kvant.runtime.plan.PartialPlan;
import dev.kvant.runtime.verification.TemporaryFolder;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes each group of modules alone, and all but it, and compares the outputs. An interrupt
 * ends the analysis; what is finished remains.
 */
final class Analysis {

  private final TrialQuantizer quantizer;
  private final PreparedModel prepared;
  private final Trials trials;
  private final FinishedGroups finished;
  private final QuantizationListener listener;
  private final List<List<String>> groups;
  private final Map<String, ModuleReport> reports = new HashMap<>();

  /**
   * @param quantizer has prepared and calibrated the model
   * @param finished what is known already
   */
  Analysis(
      TrialQuantizer quantizer,
      PreparedModel prepared,
      Trials trials,
      FinishedGroups finished,
      QuantizationListener listener) {
    this.quantizer = quantizer;
    this.prepared = prepared;
    this.trials = trials;
    this.finished = finished;
    this.listener = listener;
    this.groups = ModuleGroups.of(prepared.plan(), prepared.model(), quantizer.groups(prepared));
    if (groups.isEmpty()) {
      throw new UnsupportedModelException(
          "nothing of %s is quantized as configured, so there is nothing to analyze"
              .formatted(prepared.model().source()));
    }
  }

  /**
   * Analyzes.
   *
   * @param onGroup told of each group
   */
  SensitivityReport run(Consumer<GroupSensitivity> onGroup) {
    List<GroupSensitivity> done = new ArrayList<>();
    @Nullable OutputSimilarity all = null;
    ProgressReporter progress =
        new ProgressReporter(listener, "analyze", 1 + 2L * groups.size(), "trials");
    RemainingTime remaining = new RemainingTime(1 + 2L * groups.size());
    try {
      all = trial(List.of(), false, progress);
      progress.advance(1, remaining.after(1));
      for (List<String> group : groups) {
        OutputSimilarity alone = trial(group, true, progress);
        progress.advance(1, remaining.after(1));
        OutputSimilarity others = trial(group, false, progress);
        progress.advance(1, remaining.after(1));
        GroupSensitivity sensitivity = sensitivity(group, alone, others);
        done.add(sensitivity);
        onGroup.accept(sensitivity);
      }
    } catch (KvantException e) {
      // Whatever an interrupt ended, what is finished stays valid.
      if (!Thread.currentThread().isInterrupted()) {
        throw e;
      }
    }
    QuantizationPlan plan = prepared.plan();
    return new SensitivityReport(
        prepared.model().source(),
        plan.backend(),
        plan.mode().toString(),
        trials.samples(),
        all,
        done,
        groups.size());
  }

  private GroupSensitivity sensitivity(
      List<String> group, OutputSimilarity alone, OutputSimilarity others) {
    long before = 0;
    long after = 0;
    for (String module : group) {
      ModuleReport report = reports.get(module);
      before += report == null ? 0 : report.bytesBefore();
      after += report == null ? 0 : report.bytesAfter();
    }
    String type = prepared.plan().module(group.get(0)).map(ModuleDecision::type).orElse("");
    return new GroupSensitivity(group, type, before, after, alone, others);
  }

  /** Runs an artifact of the group alone, or of all others; an empty group is in no artifact. */
  private OutputSimilarity trial(List<String> group, boolean alone, ProgressReporter progress) {
    Optional<OutputSimilarity> known = finished.find(group, alone);
    boolean isWhole = group.isEmpty();
    // The whole artifact tells the sizes of all modules.
    if (known.isPresent() && !isWhole) {
      return known.get();
    }
    progress.checkCancelled();
    Set<String> members = new HashSet<>(group);
    QuantizationPlan plan =
        PartialPlan.of(prepared.plan(), decision -> members.contains(decision.module()) == alone);
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      SavedModel saved = quantizer.save(prepared, plan, folder.path());
      if (isWhole) {
        saved.report().modules().forEach(each -> reports.put(each.decision().module(), each));
      }
      OutputSimilarity similarity =
          known.isPresent() ? known.get() : trials.similarity(saved, progress);
      if (known.isEmpty()) {
        finished.add(group, alone, similarity);
      }
      return similarity;
    }
  }
}
