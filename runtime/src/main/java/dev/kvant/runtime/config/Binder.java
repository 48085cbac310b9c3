package dev.kvant.runtime.config;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Granularity;
import dev.kvant.api.LabelKind;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.VerificationConfig;
import dev.kvant.api.WeightQuantizationConfig;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes a configuration of the {@code quantize} section, leaving out what cannot be read. */
final class Binder {

  private final Section section;
  private final @Nullable Section root;
  private final boolean readsResultsDir;
  private final Set<String> dataSettings;

  /**
   * @param section the section
   * @param root the document around it, which may name the results folder, or null if there is none
   * @param readsResultsDir whether somebody will save something
   * @param dataSettings what data readers can be told in {@code calibration} and {@code evaluation}
   */
  Binder(
      Section section, @Nullable Section root, boolean readsResultsDir, Set<String> dataSettings) {
    this.section = section;
    this.root = root;
    this.readsResultsDir = readsResultsDir;
    this.dataSettings = dataSettings;
  }

  ModelQuantizationConfig bind() {
    ModelQuantizationConfig.Builder config = ModelQuantizationConfig.builder();
    config.backend(Objects.requireNonNullElse(section.text("backend"), ""));
    config.mode(section.parsed("mode", QuantizationMode::of));
    config.algorithm(
        orElse(section.parsed("algorithm", CalibrationAlgorithm::of), CalibrationAlgorithm.MINMAX));
    config.defaultLayerDtype(
        orElse(section.parsed("default_layer_dtype", Dtype::of), Dtype.NATIVE));
    config.defaultActivationDtype(
        orElse(section.parsed("default_activation_dtype", Dtype::of), Dtype.NATIVE));
    for (Section layer : section.sections("layers")) {
      // An entry that is no mapping keeps its place: positions are how problems name rules.
      config.layer(layer == null ? new LayerQuantizationConfig("", null, null) : layer(layer));
    }
    orElse(section.texts("skip_names"), List.<String>of()).forEach(config::skip);
    section.textByKey("module_classes").forEach(config::moduleClass);
    config.modelPath(section.parsed("model_path", Binder::path));
    config.resultsDir(resultsDir());
    section.anything("backend_kwargs").forEach(config::backendKwarg);
    config.calibration(calibration(section.section("calibration")));
    config.evaluation(evaluation(section.section("evaluation")));
    config.verify(verification(section.section("verify")));
    config.strict(orElse(section.truth("strict"), true));
    config.device(orElse(section.parsed("device", Device::of), Device.CPU));
    section.rejectUnknownKeys();
    return config.build();
  }

  private @Nullable Path resultsDir() {
    if (!readsResultsDir) {
      return null;
    }
    if (section.has("results_dir") || root == null) {
      return section.parsed("results_dir", Binder::path);
    }
    return root.parsed("results_dir", Binder::path);
  }

  private static LayerQuantizationConfig layer(Section layer) {
    LayerQuantizationConfig bound =
        new LayerQuantizationConfig(
            orElse(layer.text("module_name"), ""),
            part(layer.sectionOrListOfOne("weights"), WeightQuantizationConfig::new),
            part(layer.sectionOrListOfOne("activations"), ActivationQuantizationConfig::new));
    layer.rejectUnknownKeys();
    return bound;
  }

  /** Makes one part of a rule; both parts have the same fields. */
  @FunctionalInterface
  private interface Part<T> {
    T of(
        @Nullable Dtype dtype,
        @Nullable Integer quantAxis,
        @Nullable Granularity granularity,
        @Nullable String observerOrFakeQuant,
        Map<String, Object> observerOrFakeQuantKwargs);
  }

  private static <T> @Nullable T part(@Nullable Section section, Part<T> part) {
    if (section == null) {
      return null;
    }
    T bound =
        part.of(
            section.parsed("dtype", Dtype::of),
            section.integer("quant_axis"),
            section.parsed("granularity", Granularity::of),
            section.text("observer_or_fake_quant"),
            section.anything("observer_or_fake_quant_kwargs"));
    section.rejectUnknownKeys();
    return bound;
  }

  private @Nullable CalibrationConfig calibration(@Nullable Section calibration) {
    if (calibration == null) {
      return null;
    }
    Path path = requiredPath(calibration);
    Integer batchSize = calibration.integer("batch_size");
    Integer maxBatches = calibration.integer("max_batches");
    NonFiniteValues nonFinite = calibration.parsed("non_finite", NonFiniteValues::of);
    DataConfig data = data(calibration, path);
    return data == null
        ? null
        : new CalibrationConfig(
            data, batchSize, maxBatches, orElse(nonFinite, NonFiniteValues.REFUSE));
  }

  @Nullable EvaluationConfig evaluation(@Nullable Section evaluation) {
    if (evaluation == null) {
      return null;
    }
    Path path = requiredPath(evaluation);
    Integer batchSize = evaluation.integer("batch_size");
    LabelKind labels = orElse(evaluation.parsed("labels", LabelKind::of), LabelKind.CLASSES);
    EvaluationGates gates = gates(evaluation.section("gates"), labels);
    DataConfig data = data(evaluation, path);
    return data == null ? null : new EvaluationConfig(data, batchSize, labels, gates);
  }

  private static EvaluationGates gates(@Nullable Section section, LabelKind labels) {
    if (section == null) {
      return EvaluationGates.NONE;
    }
    EvaluationGates gates =
        new EvaluationGates(
            gate(section, "min_top1", labels, LabelKind.CLASSES),
            gate(section, "min_top5", labels, LabelKind.CLASSES),
            gate(section, "min_map", labels, LabelKind.BOXES),
            gate(section, "max_cer", labels, LabelKind.TEXT),
            section.number("min_cosine"));
    section.rejectUnknownKeys();
    return gates;
  }

  /** A gate on a figure that labels of one kind give. */
  private static @Nullable Double gate(
      Section section, String key, LabelKind labels, LabelKind needed) {
    Double gate = section.number(key);
    if (gate != null && labels != needed) {
      section.problem(
          key, "needs labels: %s, and labels is %s".formatted(needed.label(), labels.label()));
    }
    return gate;
  }

  /** Reads what is left of a section: the settings of whatever reads the data. */
  private @Nullable DataConfig data(Section section, @Nullable Path path) {
    String reader = section.text("reader");
    Map<String, Object> settings = section.anythingUnder(dataSettings);
    section.rejectUnknownKeys();
    return path == null ? null : new DataConfig(path, reader, settings);
  }

  private static VerificationConfig verification(@Nullable Section verify) {
    if (verify == null) {
      return VerificationConfig.DEFAULT;
    }
    Boolean enabled = verify.truth("enabled");
    Integer samples = verify.integer("samples");
    Double minSqnr = verify.number("min_sqnr");
    verify.rejectUnknownKeys();
    return new VerificationConfig(
        orElse(enabled, true), orElse(samples, VerificationConfig.DEFAULT_SAMPLES), minSqnr);
  }

  private static @Nullable Path requiredPath(Section section) {
    if (!section.has("path")) {
      section.problem("path", "is required");
      return null;
    }
    return section.parsed("path", Binder::path);
  }

  private static Path path(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("must not be empty; '.' is the working directory");
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("'%s' is not a path".formatted(text), e);
    }
  }

  private static <T> T orElse(@Nullable T value, T fallback) {
    return value == null ? fallback : value;
  }
}
