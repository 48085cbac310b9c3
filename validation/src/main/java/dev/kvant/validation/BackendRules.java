package dev.kvant.validation;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
          CalibrationAlgorithm.MSE,
          CalibrationAlgorithm.GPTQ);

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
      checkAgainst(abilities, " in " + mode);
    } else {
      // The mode is a problem already; what no mode can do is one whichever was meant.
      checkAgainst(allModes(), "");
    }
    new OptionRules(
            "quantize.backend_kwargs.", "backend '%s'".formatted(backend.id()), backend.options())
        .check(config.backendKwargs(), problems);
    return config.toBuilder().backend(backend.id()).mode(mode).build();
  }

  private ModeDescriptor allModes() {
    Collection<ModeDescriptor> modes = backend.modes().values();
    return ModeDescriptor.builder()
        .weights(modes.stream().flatMap(mode -> mode.weights().stream()).distinct().toList())
        .activations(
            modes.stream().flatMap(mode -> mode.activations().stream()).distinct().toList())
        .weightGranularities(granularities(modes, Operand.WEIGHTS))
        .activationGranularities(granularities(modes, Operand.ACTIVATIONS))
        .algorithms(modes.stream().flatMap(mode -> mode.algorithms().stream()).distinct().toList())
        .build();
  }

  private static Set<Granularity.Kind> granularities(
      Collection<ModeDescriptor> modes, Operand operand) {
    return modes.stream()
        .flatMap(mode -> mode.granularities(operand).stream())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private @Nullable QuantizationMode mode() {
    QuantizationMode mode = config.mode();
    if (mode == null) {
      if (backend.defaultMode() == null) {
        problem("mode", "is required; backend '%s' supports %s".formatted(backend.id(), modes()));
      }
      return backend.defaultMode();
    }
    if (!backend.modes().containsKey(mode)) {
      problem(
          "mode",
          "'%s' is not supported by backend '%s'; use %s"
              .formatted(mode, backend.id(), oneOf(backend.modes().keySet().stream())));
    }
    return mode;
  }

  /**
   * @param where the mode, as part of a sentence; empty when it is not known
   */
  private void checkAgainst(ModeDescriptor abilities, String where) {
    checkAlgorithm(abilities, where);
    checkDtype(
        "default_layer_dtype", config.defaultLayerDtype(), Operand.WEIGHTS, abilities, where);
    if (abilities.activations().isEmpty()) {
      if (!config.defaultActivationDtype().isNative()) {
        ignored(null, "default_activation_dtype is ignored: " + noActivations(where));
      }
    } else {
      checkDtype(
          "default_activation_dtype",
          config.defaultActivationDtype(),
          Operand.ACTIVATIONS,
          abilities,
          where);
    }
    for (int i = 0; i < config.layers().size(); i++) {
      checkLayer(i, config.layers().get(i), abilities, where);
    }
  }

  private void checkLayer(
      int index, LayerQuantizationConfig layer, ModeDescriptor abilities, String where) {
    RuleReference rule = RuleReference.layer(index, layer.moduleName());
    String path = "layers[" + index + "].";
    for (Operand operand : Operand.values()) {
      OperandQuantizationConfig settings = layer.operand(operand);
      if (settings == null) {
        continue;
      }
      if (operand == Operand.ACTIVATIONS && abilities.activations().isEmpty()) {
        if (saysSomething(settings)) {
          ignored(rule, "%s: activations are ignored: %s".formatted(rule, noActivations(where)));
        }
        continue;
      }
      String operandPath = path + operand.label() + ".";
      Dtype dtype = settings.dtype();
      if (dtype != null) {
        checkDtype(operandPath + "dtype", dtype, operand, abilities, where);
      }
      checkGranularity(operandPath, rule, settings, abilities.granularities(operand), where);
      checkObserver(operandPath, rule, settings, abilities, where);
    }
  }

  private static boolean saysSomething(OperandQuantizationConfig settings) {
    Dtype dtype = settings.dtype();
    return (dtype != null && !dtype.isNative())
        || settings.quantAxis() != null
        || settings.granularity() != null
        || settings.observerOrFakeQuant() != null;
  }

  private void checkGranularity(
      String operandPath,
      RuleReference rule,
      OperandQuantizationConfig settings,
      List<Granularity.Kind> kinds,
      String where) {
    Integer axis = settings.quantAxis();
    Granularity granularity = settings.granularity();
    if (axis != null && !kinds.contains(Granularity.Kind.AXIS)) {
      problem(operandPath + "quant_axis", noGranularity("quant_axis " + axis, kinds, where));
    } else if (axis != null && axis == -1) {
      warnings.add(
          new QuantizationWarning(
              QuantizationWarning.Kind.OTHER,
              "%s: quant_axis -1 is the last axis; for one scale for all values write granularity: tensor"
                  .formatted(rule),
              rule,
              List.of()));
    }
    if (granularity != null && !kinds.contains(granularity.kind())) {
      problem(
          operandPath + "granularity", noGranularity("'%s'".formatted(granularity), kinds, where));
    }
  }

  private String noGranularity(String written, List<Granularity.Kind> kinds, String where) {
    return "%s is not supported by backend '%s'%s; %s"
        .formatted(
            written,
            backend.id(),
            where,
            kinds.isEmpty()
                ? "leave it out, the backend chooses which values share a scale"
                : "use granularity: " + oneOf(kinds.stream()));
  }

  private void checkObserver(
      String operandPath,
      RuleReference rule,
      OperandQuantizationConfig settings,
      ModeDescriptor abilities,
      String where) {
    String observer = settings.observerOrFakeQuant();
    if (observer == null) {
      return;
    }
    if (abilities.algorithms().isEmpty()) {
      ignored(
          rule, "%s: observer_or_fake_quant is ignored: %s".formatted(rule, noCalibration(where)));
    } else if (!abilities.algorithms().contains(CalibrationAlgorithm.of(observer))) {
      problem(
          operandPath + "observer_or_fake_quant",
          notSupported(observer, where, abilities.algorithms().stream()));
    }
  }

  private void checkAlgorithm(ModeDescriptor abilities, String where) {
    CalibrationAlgorithm algorithm = config.algorithm();
    List<CalibrationAlgorithm> algorithms = abilities.algorithms();
    if (!algorithms.isEmpty()) {
      if (!algorithms.contains(algorithm)) {
        problem("algorithm", notSupported(algorithm, where, algorithms.stream()));
      }
    } else if (!KNOWN_ALGORITHMS.contains(algorithm)) {
      problem(
          "algorithm",
          "'%s' is not known; use %s".formatted(algorithm, oneOf(KNOWN_ALGORITHMS.stream())));
    } else if (!algorithm.equals(CalibrationAlgorithm.MINMAX)) {
      ignored(null, "algorithm '%s' is ignored: %s".formatted(algorithm, noCalibration(where)));
    }
  }

  private void checkDtype(
      String path, Dtype dtype, Operand operand, ModeDescriptor abilities, String where) {
    if (!dtype.isNative() && !abilities.dtypes(operand).contains(dtype)) {
      problem(
          path,
          notSupported(
              dtype,
              where,
              Stream.concat(abilities.dtypes(operand).stream(), Stream.of(Dtype.NATIVE))));
    }
  }

  private String notSupported(Object value, String where, Stream<?> options) {
    return "'%s' is not supported by backend '%s'%s; use %s"
        .formatted(value, backend.id(), where, oneOf(options));
  }

  private static String oneOf(Stream<?> options) {
    List<String> names = options.map(Object::toString).toList();
    return names.size() == 1 ? names.get(0) : "one of " + String.join(", ", names);
  }

  private String modes() {
    return backend.modes().keySet().stream()
        .map(QuantizationMode::name)
        .collect(Collectors.joining(", "));
  }

  private String noActivations(String where) {
    return "backend '%s' leaves activations as they are%s".formatted(backend.id(), where);
  }

  private String noCalibration(String where) {
    return "backend '%s' calibrates nothing%s".formatted(backend.id(), where);
  }

  private void problem(String path, String message) {
    problems.add(new ConfigurationProblem("quantize." + path, message));
  }

  private void ignored(@Nullable RuleReference rule, String message) {
    warnings.add(
        new QuantizationWarning(
            QuantizationWarning.Kind.IGNORED_SETTING, message, rule, List.of()));
  }
}
