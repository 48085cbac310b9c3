package dev.kvant.runtime.tuning;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.FakeBackend;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.plan.Planner;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ModelRunner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes and runs models whose output is the input, plus a noise that each quantized module adds
 * to an element of its own: the first module of the plan to the first element, and so on.
 */
final class FakeTrials implements TrialQuantizer, RunnerSource {

  /** The option that makes it quantize with statistics. */
  static final String CALIBRATED = "calibrated";

  private final ModelQuantizationConfig config;
  private final List<Float> noises;
  private final List<List<String>> groups;
  private final List<String> saved = new ArrayList<>();
  private List<Integer> quantized = List.of();
  private boolean isWhole;
  private @Nullable RuntimeException failure;
  private String version = "1";
  private Runnable onSaved = () -> {};

  FakeTrials(ModelQuantizationConfig config, List<Float> noises, List<List<String>> groups) {
    this.config = config;
    this.noises = noises;
    this.groups = groups;
  }

  /** Fails where the best artifact is written. */
  FakeTrials failing(@Nullable RuntimeException exception) {
    failure = exception;
    return this;
  }

  /** Is of another version than 1. */
  FakeTrials version(String version) {
    this.version = version;
    return this;
  }

  /** Tells when the best artifact is written. */
  FakeTrials onSaved(Runnable listener) {
    onSaved = listener;
    return this;
  }

  /** Refuses plans that leave modules native. */
  FakeTrials wholeOnly() {
    isWhole = true;
    return this;
  }

  /** The quantized modules of each artifact, in the order in which they were written. */
  List<String> saved() {
    return saved;
  }

  @Override
  public ModelQuantizationConfig config() {
    return config;
  }

  @Override
  public String backend() {
    return config.backend() + " " + version;
  }

  @Override
  public void refuseToReplace(QuantizableModel model, Path directory) {
    if (directory.equals(model.source().getParent())) {
      throw new UnsupportedModelException("the artifact would replace " + model.source());
    }
  }

  @Override
  public boolean hasStatistics(PreparedModel model) {
    return config.backendKwargs().containsKey(CALIBRATED);
  }

  @Override
  public PreparedModel prepare(QuantizableModel model) {
    return new PreparedModel(
        model, new Planner(config, FakeBackend.calibratable(config.backend())).plan(model));
  }

  @Override
  public void calibrate(PreparedModel model, CalibrationDataset data, KnownStatistics known) {
    data.forEach(batch -> {});
  }

  @Override
  public List<List<String>> groups(PreparedModel model) {
    return groups;
  }

  @Override
  public SavedModel save(PreparedModel model, QuantizationPlan plan, Path directory) {
    if (isWhole && !plan.modules().stream().allMatch(ModuleDecision::isQuantized)) {
      throw new QuantizationException("only whole models");
    }
    List<Integer> positions = new ArrayList<>();
    List<ModuleReport> reports = new ArrayList<>();
    for (ModuleDecision decision : plan.modules()) {
      if (decision.isQuantized()) {
        positions.add(reports.size());
      }
      reports.add(
          ModuleReport.builder(decision).bytes(400, decision.isQuantized() ? 100 : 400).build());
    }
    quantized = positions;
    saved.add(positions.toString());
    return new SavedModel(
        List.of(
            new Artifact(
                directory.resolve("fake.out"),
                Artifact.Role.MODEL,
                "fake",
                reports.stream().mapToLong(ModuleReport::bytesAfter).sum(),
                "Nothing.")),
        new QuantizationReport(plan.backend(), plan.mode(), reports, List.of()));
  }

  @Override
  public SavedModel saveVerified(PreparedModel model, Path directory) {
    if (failure != null) {
      throw failure;
    }
    onSaved.run();
    return save(model, model.plan(), directory);
  }

  @Override
  public void saveStatisticsIfAny(PreparedModel model, Path file) {
    if (hasStatistics(model)) {
      try {
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Files.writeString(file, "statistics");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Override
  public ModelRunner open(Path model, String format) {
    return runner(model.endsWith("fake.out") ? quantized : List.of());
  }

  private ModelRunner runner(List<Integer> noisy) {
    return new ModelRunner() {
      @Override
      public List<InputDescription> inputs() {
        return List.of(InputDescription.of("input"));
      }

      @Override
      public Map<String, Tensor> run(TensorBatch batch) {
        Tensor input = batch.inputs().get("input");
        float[] values = Objects.requireNonNull(input).toFloats();
        int width = Math.toIntExact(input.shape().get(1));
        for (int i = 0; i < values.length; i++) {
          if (noisy.contains(i % width)) {
            values[i] += noises.get(i % width);
          }
        }
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        outputs.put(
            "output",
            Tensor.ofFloats(values, input.shape().stream().mapToLong(Long::longValue).toArray()));
        return outputs;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void close() {}
}
