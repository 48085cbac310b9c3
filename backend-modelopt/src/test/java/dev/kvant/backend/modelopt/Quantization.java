package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Quantizes a model file as a test says, the way that users do. */
final class Quantization {

  private static final Path TEST_SCANS = Path.of("../examples/digits/data/test.npz");

  private final Path file;
  private final Map<String, Object> config = new LinkedHashMap<>();
  private final Map<String, Object> kwargs = new LinkedHashMap<>();
  private final List<Map<String, Object>> layers = new ArrayList<>();
  private QuantizationListener listener = QuantizationListener.NONE;
  private @Nullable CalibrationDataset data;

  private Quantization(Path file) {
    this.file = file;
    config.put("backend", "modelopt");
    config.put("strict", false);
    config.put("layers", layers);
    config.put("backend_kwargs", kwargs);
  }

  static Quantization of(Path file) {
    return new Quantization(file);
  }

  /** Weights and inputs of modules of that name become that. */
  Quantization rule(String pattern, String dtype) {
    return rule(pattern, Map.of("dtype", dtype), Map.of("dtype", dtype));
  }

  Quantization rule(String pattern, Map<String, Object> weights, Map<String, Object> activations) {
    Map<String, Object> rule = new LinkedHashMap<>();
    rule.put("module_name", pattern);
    rule.put("weights", weights);
    rule.put("activations", activations);
    layers.add(rule);
    return this;
  }

  Quantization set(String key, Object value) {
    config.put(key, value);
    return this;
  }

  Quantization option(String key, Object value) {
    kwargs.put(key, value);
    return this;
  }

  Quantization data(CalibrationDataset data) {
    this.data = data;
    return this;
  }

  Quantization listener(QuantizationListener listener) {
    this.listener = listener;
    return this;
  }

  SavedModel into(Path directory) {
    try (Kvant kvant = kvant();
        QuantizableModel model = kvant.load(file);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      PreparedModel prepared = quantizer.prepare(model);
      if (data != null) {
        quantizer.calibrate(prepared, data);
      }
      return quantizer.saveModel(quantizer.quantize(prepared), directory);
    }
  }

  /** What is planned for the model, whose file stays open. */
  PreparedModel prepare(QuantizableModel model) {
    try (Kvant kvant = kvant();
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.prepare(model);
    }
  }

  private Kvant kvant() {
    return Kvant.builder()
        .withoutDiscovery()
        .backend(new ModelOptBackend())
        .format(new TorchFormat())
        .runner(new TorchScriptRunnerProvider())
        .listener(listener)
        .build();
  }

  /** How many of the 600 test scans a model classifies rightly. */
  static long right(Path model) {
    try (Kvant kvant = Quantization.of(model).kvant()) {
      Evaluation evaluation =
          kvant.evaluate(model, null, EvaluationConfig.of(TEST_SCANS, 64), Device.CPU);
      Long right = evaluation.model().correct();
      return right == null ? -1 : right;
    }
  }
}
