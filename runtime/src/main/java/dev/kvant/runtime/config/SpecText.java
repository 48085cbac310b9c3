package dev.kvant.runtime.config;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.LabelKind;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.Recipe;
import dev.kvant.api.VerificationConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes a recipe as a document, with a comment on each line. */
final class SpecText {

  private static final int WIDTH = 100;
  private static final Pattern WORDS = Pattern.compile("\\s+");

  private static final Map<String, String> MODES =
      Map.of(
          "weight_only_ptq", "weights only; activations keep their type",
          "static_ptq", "weights and activations, with ranges observed on data",
          "dynamic_ptq", "weights and activations, with ranges found at run time");

  private static final Map<String, String> COMMENTS =
      Map.ofEntries(
          Map.entry("backend", "the installed backend that quantizes; see kvant backends"),
          Map.entry("mode", "what is quantized, and when its ranges are found"),
          Map.entry("algorithm", "how ranges are chosen from what was observed"),
          Map.entry("default_layer_dtype", "weights of all modules that can have it"),
          Map.entry("default_activation_dtype", "inputs of all modules that can have it"),
          Map.entry(
              "layers", "rules for modules by name or class; later ones override earlier ones"),
          Map.entry("skip_names", "modules that stay as they are"),
          Map.entry("module_classes", "classes of modules that the file does not name"),
          Map.entry("model_path", "the trained model"),
          Map.entry("results_dir", "the folder for the artifacts"),
          Map.entry("backend_kwargs", "options of the backend"),
          Map.entry("calibration", "data on which activations are observed"),
          Map.entry(
              "calibration.path", "NumPy arrays, images or texts, as the model gets them in use"),
          Map.entry("calibration.batch_size", "samples in a batch"),
          Map.entry("calibration.max_batches", "the maximum number of batches"),
          Map.entry("calibration.non_finite", "whether NaN and infinities are an error"),
          Map.entry("calibration.reader", "the data reader"),
          Map.entry("evaluation", "data to compare the model before and after"),
          Map.entry("evaluation.path", "the data set"),
          Map.entry("evaluation.batch_size", "samples in a batch"),
          Map.entry("evaluation.labels", "what the labels are: classes, boxes or text"),
          Map.entry("evaluation.gates", "what the quantized model must reach"),
          Map.entry("evaluation.reader", "the data reader"),
          Map.entry("verify", "how artifacts are compared with the model"),
          Map.entry("verify.enabled", "whether they are"),
          Map.entry("verify.samples", "the maximum number of samples"),
          Map.entry("verify.min_sqnr", "decibels that each output must reach"),
          Map.entry("strict", "whether a rule without effect is an error"),
          Map.entry("device", "the device that runs the model"));

  private final Map<String, String> reasons;
  private final StringBuilder text = new StringBuilder();

  private SpecText(Map<String, String> reasons) {
    this.reasons = reasons;
  }

  static String of(Recipe recipe) {
    SpecText written = new SpecText(recipe.comments());
    written.paragraph(recipe.reason());
    written.text.append("quantize:\n");
    written.section(recipe.config());
    return written.text.toString();
  }

  private void section(ModelQuantizationConfig config) {
    line("backend", config.backend());
    line("mode", config.mode());
    if (!config.algorithm().equals(CalibrationAlgorithm.MINMAX)) {
      line("algorithm", config.algorithm());
    }
    line("model_path", config.modelPath());
    line("results_dir", config.resultsDir());
    if (!config.defaultLayerDtype().isNative()) {
      line("default_layer_dtype", config.defaultLayerDtype());
    }
    if (!config.defaultActivationDtype().isNative()) {
      line("default_activation_dtype", config.defaultActivationDtype());
    }
    if (!config.layers().isEmpty()) {
      entry(1, "layers", "layers", null);
      config.layers().forEach(this::rule);
    }
    if (!config.skipNames().isEmpty()) {
      line("skip_names", config.skipNames());
    }
    map("module_classes", config.moduleClasses());
    map("backend_kwargs", config.backendKwargs());
    CalibrationConfig calibration = config.calibration();
    if (calibration != null) {
      data(
          "calibration",
          calibration.data(),
          calibration.batchSize(),
          calibration.maxBatches(),
          calibration.nonFinite(),
          Map.of());
    }
    EvaluationConfig evaluation = config.evaluation();
    if (evaluation != null) {
      Map<String, Object> own = new LinkedHashMap<>();
      if (evaluation.labels() != LabelKind.CLASSES) {
        own.put("labels", evaluation.labels().label());
      }
      Map<String, Object> gates = gates(evaluation.gates());
      if (!gates.isEmpty()) {
        own.put("gates", gates);
      }
      data(
          "evaluation",
          evaluation.data(),
          evaluation.batchSize(),
          null,
          NonFiniteValues.REFUSE,
          own);
    }
    verification(config.verify());
    if (!config.strict()) {
      line("strict", false);
    }
    if (!config.device().equals(Device.CPU)) {
      line("device", config.device());
    }
  }

  private static Map<String, Object> gates(EvaluationGates gates) {
    Map<String, Object> values = new LinkedHashMap<>();
    put(values, "min_top1", gates.minTop1());
    put(values, "min_top5", gates.minTop5());
    put(values, "min_map", gates.minMap());
    put(values, "max_cer", gates.maxCer());
    put(values, "min_cosine", gates.minCosine());
    return values;
  }

  private void rule(LayerQuantizationConfig rule) {
    text.append("    - module_name: ").append(YamlValue.of(rule.moduleName())).append('\n');
    operand("weights", rule.weights());
    operand("activations", rule.activations());
  }

  private void operand(String key, @Nullable OperandQuantizationConfig operand) {
    if (operand == null) {
      return;
    }
    Map<String, Object> values = new LinkedHashMap<>();
    put(values, "dtype", operand.dtype());
    put(values, "quant_axis", operand.quantAxis());
    put(values, "granularity", operand.granularity());
    put(values, "observer_or_fake_quant", operand.observerOrFakeQuant());
    if (!operand.observerOrFakeQuantKwargs().isEmpty()) {
      values.put("observer_or_fake_quant_kwargs", operand.observerOrFakeQuantKwargs());
    }
    text.append("      ").append(key).append(": ").append(YamlValue.of(values)).append('\n');
  }

  private static void put(Map<String, Object> values, String key, @Nullable Object value) {
    if (value != null) {
      values.put(key, value);
    }
  }

  private void data(
      String section,
      DataConfig data,
      @Nullable Integer batchSize,
      @Nullable Integer maxBatches,
      NonFiniteValues nonFinite,
      Map<String, Object> own) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("path", data.path());
    put(values, "batch_size", batchSize);
    put(values, "max_batches", maxBatches);
    if (nonFinite != NonFiniteValues.REFUSE) {
      values.put("non_finite", nonFinite.label());
    }
    values.putAll(own);
    put(values, "reader", data.reader());
    data.options().forEach((key, value) -> nest(values, key, value));
    map(section, values);
  }

  /** Puts {@code images.size} into a map {@code images}. */
  @SuppressWarnings("unchecked")
  private static void nest(Map<String, Object> values, String key, Object value) {
    int dot = key.indexOf('.');
    if (dot < 0) {
      values.put(key, value);
    } else {
      nest(
          (Map<String, Object>)
              values.computeIfAbsent(key.substring(0, dot), name -> new LinkedHashMap<>()),
          key.substring(dot + 1),
          value);
    }
  }

  private void verification(VerificationConfig verify) {
    Map<String, Object> values = new LinkedHashMap<>();
    if (!verify.enabled()) {
      values.put("enabled", false);
    }
    if (verify.samples() != VerificationConfig.DEFAULT_SAMPLES) {
      values.put("samples", verify.samples());
    }
    put(values, "min_sqnr", verify.minSqnr());
    map("verify", values);
  }

  private void map(String section, Map<String, ?> values) {
    if (!values.isEmpty()) {
      entry(1, section, section, null);
      values.forEach((key, value) -> entry(2, section + "." + key, key, value));
    }
  }

  private void line(String key, @Nullable Object value) {
    if (value != null) {
      entry(1, key, key, value);
    }
  }

  /** A line with its comment behind it, or above it where both take more than a line. */
  private void entry(int depth, String path, String key, @Nullable Object value) {
    String indent = "  ".repeat(depth);
    String entry =
        indent + YamlValue.key(key) + ":" + (value == null ? "" : " " + YamlValue.of(value));
    String comment = comment(path, value);
    if (comment.isEmpty()) {
      text.append(entry).append('\n');
    } else if (entry.length() + comment.length() + 4 <= WIDTH) {
      text.append(entry).append("  # ").append(comment).append('\n');
    } else {
      text.append(indent).append("# ").append(comment).append('\n');
      text.append(entry).append('\n');
    }
  }

  private String comment(String path, @Nullable Object value) {
    String reason = reasons.get(path);
    if (reason != null) {
      return WORDS.matcher(reason).replaceAll(" ");
    }
    if (path.equals("mode")) {
      String known = MODES.get(Objects.requireNonNull(value).toString());
      if (known != null) {
        return known;
      }
    }
    String known = COMMENTS.get(path);
    if (known != null) {
      return known;
    }
    if (path.startsWith("calibration.") || path.startsWith("evaluation.")) {
      return "a setting of the data reader";
    }
    return path.startsWith("backend_kwargs.") ? "an option of the backend" : "";
  }

  /** Comment lines of whole words. */
  private void paragraph(String sentences) {
    StringBuilder line = new StringBuilder("#");
    for (String word : WORDS.split(sentences.strip(), -1)) {
      if (line.length() + 1 + word.length() > WIDTH) {
        text.append(line).append('\n');
        line = new StringBuilder("#");
      }
      line.append(' ').append(word);
    }
    text.append(line).append('\n');
  }
}
