package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.KvantException;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.backend.modelopt.ObservedArchive.Questions;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.spi.Observation;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.runtime.TorchScriptRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Runs data through a model whose modules observe their inputs. */
final class Calibration {

  /** What the names of temporary files begin with in this process. */
  static final String PREFIX = "kvant-calibration-%s-".formatted(ProcessHandle.current().pid());

  private final ScriptModel model;
  private final List<PlannedModule> planned;
  private final Device device;
  private final ProgressReporter progress;

  /**
   * A run.
   *
   * @param progress counts batches
   */
  Calibration(
      ScriptModel model, List<PlannedModule> planned, Device device, ProgressReporter progress) {
    this.model = model;
    this.planned = planned;
    this.device = device;
    this.progress = progress;
  }

  /**
   * Runs all data.
   *
   * @param levels how much modules are to observe, by name
   * @return what was observed of each module that was called, by name
   * @throws CalibrationException if there is no data, it does not fit the model, or a value is not
   *     finite and the data refuses that
   */
  Map<String, TensorStatistics> observe(Map<String, Observation> levels, CalibrationDataset data) {
    Path file = temporary();
    Questions questions;
    TorchScriptRunner observing;
    try {
      questions =
          ObservedArchive.write(
              file, model, levels, data.nonFinite(), (bytes, tensor) -> progress.checkCancelled());
      observing = TorchScriptRunner.openCopy(file, model, device);
    } finally {
      // It is in memory by now; later the process may be ended before anything could be removed.
      delete(file);
    }
    try (TorchScriptRunner runner = observing) {
      if (!questions.claim().contents().isEmpty()) {
        runner.give(questions.claim().method(), questions.claim().contents());
      }
      return observe(runner, questions, data);
    }
  }

  private Map<String, TensorStatistics> observe(
      TorchScriptRunner runner, Questions questions, CalibrationDataset data) {
    float[] ranges = new float[0];
    long number = 0;
    for (TensorBatch batch : data) {
      progress.checkCancelled();
      number++;
      if (data.nonFinite() == NonFiniteValues.REFUSE) {
        checkFinite(batch, number);
      }
      run(runner, batch, number);
      ranges = ranges(runner, questions, number);
      progress.advance(1, "batch " + number);
    }
    if (number == 0) {
      throw new CalibrationException(
          "the calibration data is empty; give at least one batch, a few hundred samples are"
              + " usual");
    }
    Map<String, Histogram> histograms = histograms(runner, questions, ranges);
    long[] ignored = ignored(runner, questions, data);
    Map<String, TensorStatistics> statistics = new LinkedHashMap<>();
    for (int i = 0; i < questions.modules().size(); i++) {
      String module = questions.modules().get(i);
      if (isReached(ranges, i)) {
        statistics.put(
            module,
            new TensorStatistics(
                range(ranges, i),
                Optional.ofNullable(histograms.get(module)),
                Optional.empty(),
                ignored[i],
                Optional.empty()));
      }
    }
    return statistics;
  }

  private static void checkFinite(TensorBatch batch, long number) {
    batch
        .inputs()
        .forEach(
            (name, tensor) -> {
              if (!tensor.elementType().isFloatingPoint()) {
                return;
              }
              float[] values = tensor.toFloats();
              for (int i = 0; i < values.length; i++) {
                if (!Float.isFinite(values[i])) {
                  throw new CalibrationException(
                      "batch %d: input '%s' is %s at index %d; leave such samples out, or set non_finite: ignore"
                          .formatted(number, name, values[i], i));
                }
              }
            });
  }

  private void run(TorchScriptRunner runner, TensorBatch batch, long number) {
    try {
      runner.runForEffect(batch);
    } catch (CalibrationException e) {
      throw new CalibrationException("batch %d: %s".formatted(number, e.getMessage()), e);
    }
  }

  /** Smallest and largest value of each module so far. */
  private float[] ranges(TorchScriptRunner runner, Questions questions, long number) {
    if (questions.modules().isEmpty()) {
      return new float[0];
    }
    float[] ranges = only(runner.call(questions.ranges())).toFloats();
    for (int i = 0; i < questions.modules().size(); i++) {
      float low = ranges[2 * i];
      float high = ranges[2 * i + 1];
      if (isReached(ranges, i) && !(Float.isFinite(low) && Float.isFinite(high))) {
        checkWeights();
        throw new CalibrationException(
            "batch %d: the input of module '%s' has a value that is %s; the model or this batch of the data is not sound; non_finite: ignore leaves such values out"
                .formatted(
                    number, questions.modules().get(i), Float.isNaN(low) ? "NaN" : "infinite"));
      }
    }
    return ranges;
  }

  /** Blames a weight rather than the data, if one is not finite. */
  private void checkWeights() {
    for (PlannedModule module : planned) {
      if (module.decision().weights().isQuantized()) {
        OperandQuantization.of(
            new WeightValues(
                TorchModel.qualified(module.name(), "weight"),
                model.tensor(module.name(), "weight").orElseThrow()),
            PlannedModule.grid(module.decision().weights()),
            OptionalInt.empty(),
            RangeObserver::minmax,
            1);
      }
    }
  }

  /** Observers start with a range that contains nothing. */
  private static boolean isReached(float[] ranges, int module) {
    return !(ranges[2 * module] == Float.POSITIVE_INFINITY
        && ranges[2 * module + 1] == Float.NEGATIVE_INFINITY);
  }

  private static ValueRange range(float[] ranges, int module) {
    return new ValueRange(ranges[2 * module], ranges[2 * module + 1]);
  }

  private static Map<String, Histogram> histograms(
      TorchScriptRunner runner, Questions questions, float[] ranges) {
    if (questions.counting().isEmpty()) {
      return Map.of();
    }
    List<Tensor> answers = new ArrayList<>(runner.call(questions.counts()).values());
    long[] exponents = answers.get(0).toLongs();
    Map<String, Histogram> histograms = new LinkedHashMap<>();
    for (int i = 0; i < exponents.length; i++) {
      String module = questions.counting().get(i);
      int index = questions.modules().indexOf(module);
      if (isReached(ranges, index)) {
        histograms.put(
            module,
            Histogram.of((int) exponents[i], answers.get(i + 1).toLongs(), range(ranges, index)));
      }
    }
    return histograms;
  }

  /** How many values each module left out. */
  private static long[] ignored(
      TorchScriptRunner runner, Questions questions, CalibrationDataset data) {
    return questions.modules().isEmpty() || data.nonFinite() == NonFiniteValues.REFUSE
        ? new long[questions.modules().size()]
        : only(runner.call(questions.ignored())).toLongs();
  }

  private static Tensor only(Map<String, Tensor> answer) {
    return answer.values().iterator().next();
  }

  private static Path temporary() {
    try {
      return Files.createTempFile(PREFIX, ".pt");
    } catch (IOException e) {
      throw new KvantException(
          "the model could not be copied for calibration into the folder of temporary files: " + e,
          e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new KvantException("the temporary file %s cannot be removed: %s".formatted(file, e), e);
    }
  }
}
