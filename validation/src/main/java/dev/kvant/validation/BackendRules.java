package dev.kvant.validation;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checks a configuration against what its backend says that it can do. */
final class BackendRules {

  private static final List<CalibrationAlgorithm> KNOWN_ALGORITHMS =
      List.of(
          CalibrationAlgorithm.MINMAX,
          CalibrationAlgorithm.ENTROPY,
          CalibrationAlgorithm.PERCENTILE,
          CalibrationAlgorithm.MSE);

  private final ModelQuantizationConfig config;
  private final BackendDescriptor backend;
  private final List<ConfigurationProblem> problems;
  private final List<QuantizationWarning> warnings;

  BackendRules(
      ModelQuantizationConfig config,
      BackendDescriptor backend,
      List<ConfigurationProblem> problems,
      List<QuantizationWarning> warnings) {
    this.config = config;
    this.backend = backend;
    this.problems = problems;
    this.warnings = warnings;
  }

  /** Adds problems and warnings; gives the configuration with the backend's id and its mode. */
  ModelQuantizationConfig check() {
    QuantizationMode mode = mode();
    ModeDescriptor abilities = mode == null ? null : backend.modes().get(mode);
    if (mode != null && abilities != null) {
      checkMode(mode, abilities);
    }
    BackendOptions.check(config.backendKwargs(), backend, problems);
    return config.toBuilder().backend(backend.id()).mode(mode).build();
  }

  private @Nullable QuantizationMode mode() {
    QuantizationMode mode = config.mode();
    if (mode == null) {
      if (backend.modes().size() == 1) {
        return backend.modes().keySet().iterator().next();
      }
      problem("mode", "is required; backend '%s' supports %s".formatted(backend.id(), modes()));
      return null;
    }
    if (!backend.modes().containsKey(mode)) {
      problem(
          "mode",
          "'%s' is not supported by backend '%s'; use %s"
              .formatted(mode, backend.id(), oneOf(backend.modes().keySet().stream())));
    }
    return mode;
  }

  private void checkMode(QuantizationMode mode, ModeDescriptor abilities) {
    checkAlgorithm(mode, abilities);
    checkDtype("default_layer_dtype", config.defaultLayerDtype(), Operand.WEIGHTS, mode, abilities);
    if (abilities.activations().isEmpty()) {
      if (!config.defaultActivationDtype().isNative()) {
        ignored(null, "default_activation_dtype is ignored: " + noActivations(mode));
      }
    } else {
      checkDtype(
          "default_activation_dtype",
          config.defaultActivationDtype(),
          Operand.ACTIVATIONS,
          mode,
          abilities);
    }
    for (int i = 0; i < config.layers().size(); i++) {
      checkLayer(i, config.layers().get(i), mode, abilities);
    }
  }

  private void checkLayer(
      int index, LayerQuantizationConfig layer, QuantizationMode mode, ModeDescriptor abilities) {
    RuleReference rule = RuleReference.layer(index, layer.moduleName());
    String path = "layers[" + index + "].";
    for (Operand operand : Operand.values()) {
      OperandQuantizationConfig settings = layer.operand(operand);
      if (settings == null) {
        continue;
      }
      if (operand == Operand.ACTIVATIONS && abilities.activations().isEmpty()) {
        if (saysSomething(settings)) {
          ignored(rule, "%s: activations are ignored: %s".formatted(rule, noActivations(mode)));
        }
        continue;
      }
      String operandPath = path + operand.label() + ".";
      Dtype dtype = settings.dtype();
      if (dtype != null) {
        checkDtype(operandPath + "dtype", dtype, operand, mode, abilities);
      }
      checkObserver(operandPath, rule, settings, mode, abilities);
    }
  }

  private static boolean saysSomething(OperandQuantizationConfig settings) {
    Dtype dtype = settings.dtype();
    return (dtype != null && !dtype.isNative())
        || settings.quantAxis() != null
        || settings.observerOrFakeQuant() != null;
  }

  private void checkObserver(
      String operandPath,
      RuleReference rule,
      OperandQuantizationConfig settings,
      QuantizationMode mode,
      ModeDescriptor abilities) {
    String observer = settings.observerOrFakeQuant();
    if (observer == null) {
      return;
    }
    if (abilities.algorithms().isEmpty()) {
      ignored(
          rule, "%s: observer_or_fake_quant is ignored: %s".formatted(rule, noCalibration(mode)));
    } else if (!abilities.algorithms().contains(CalibrationAlgorithm.of(observer))) {
      problem(
          operandPath + "observer_or_fake_quant",
          notSupported(observer, mode, abilities.algorithms().stream()));
    }
  }

  private void checkAlgorithm(QuantizationMode mode, ModeDescriptor abilities) {
    CalibrationAlgorithm algorithm = config.algorithm();
    List<CalibrationAlgorithm> algorithms = abilities.algorithms();
    if (!algorithms.isEmpty()) {
      if (!algorithms.contains(algorithm)) {
        problem("algorithm", notSupported(algorithm, mode, algorithms.stream()));
      }
    } else if (!KNOWN_ALGORITHMS.contains(algorithm)) {
      problem(
          "algorithm",
          "'%s' is not known; use %s".formatted(algorithm, oneOf(KNOWN_ALGORITHMS.stream())));
    } else if (!algorithm.equals(CalibrationAlgorithm.MINMAX)) {
      ignored(null, "algorithm '%s' is ignored: %s".formatted(algorithm, noCalibration(mode)));
    }
  }

  private void checkDtype(
      String path, Dtype dtype, Operand operand, QuantizationMode mode, ModeDescriptor abilities) {
    if (!dtype.isNative() && !abilities.dtypes(operand).contains(dtype)) {
      problem(
          path,
          notSupported(
              dtype,
              mode,
              Stream.concat(abilities.dtypes(operand).stream(), Stream.of(Dtype.NATIVE))));
    }
  }

  private String notSupported(Object value, QuantizationMode mode, Stream<?> options) {
    return "'%s' is not supported by backend '%s' in %s; use %s"
        .formatted(value, backend.id(), mode, oneOf(options));
  }

  private static String oneOf(Stream<?> options) {
    List<String> names = options.map(Object::toString).toList();
    return names.size() == 1 ? names.get(0) : "one of " + String.join(", ", names);
  }

  private String modes() {
    return backend.modes().keySet().stream()
        .map(QuantizationMode::label)
        .collect(Collectors.joining(", "));
  }

  private String noActivations(QuantizationMode mode) {
    return "backend '%s' leaves activations as they are in %s".formatted(backend.id(), mode);
  }

  private String noCalibration(QuantizationMode mode) {
    return "backend '%s' calibrates nothing in %s".formatted(backend.id(), mode);
  }

  private void problem(String path, String message) {
    problems.add(new ConfigurationProblem("quantize." + path, message));
  }

  private void ignored(@Nullable RuleReference rule, String message) {
    warnings.add(
        new QuantizationWarning(
            QuantizationWarning.Kind.IGNORED_SETTING, message, rule, new ArrayList<>()));
  }
}
