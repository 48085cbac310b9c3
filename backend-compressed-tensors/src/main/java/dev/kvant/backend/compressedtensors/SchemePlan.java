package dev.kvant.backend.compressedtensors;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.compressedtensors.weights.Layout;
import dev.kvant.backend.compressedtensors.weights.Numbers;
import dev.kvant.backend.compressedtensors.weights.Scheme;
import dev.kvant.kit.DecidedModule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The schemes of the modules that a plan quantizes, in the plan's order. */
final class SchemePlan {

  private final List<DecidedModule> modules;
  private final Map<String, Scheme> schemes = new LinkedHashMap<>();

  private SchemePlan(List<DecidedModule> modules) {
    this.modules = modules;
    for (DecidedModule module : modules) {
      Scheme scheme = scheme(module.decision());
      module.module().names().forEach(name -> schemes.put(name, scheme));
    }
  }

  /**
   * The schemes of a plan.
   *
   * @param layout how the checkpoint is stored
   * @throws UnsupportedModelException if the layout lacks a scheme, or inputs and weights of a
   *     module are planned as different numbers
   */
  static SchemePlan of(QuantizableModel model, QuantizationPlan plan, Layout layout) {
    List<DecidedModule> modules = DecidedModule.of(model, plan);
    List<String> mixed =
        modules.stream()
            .map(DecidedModule::decision)
            .filter(SchemePlan::isMixed)
            .map(
                decision ->
                    "%s (%s and %s)"
                        .formatted(
                            decision.module(),
                            decision.weights().dtype(),
                            decision.activations().dtype()))
            .toList();
    if (!mixed.isEmpty()) {
      throw new UnsupportedModelException(
          "weights and activations of one module must have the same dtype, or activations must be native: %s"
              .formatted(String.join(", ", mixed)));
    }
    var schemes = new SchemePlan(modules);
    List<String> others =
        schemes.schemes.entrySet().stream()
            .filter(module -> !layout.has(module.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    if (!others.isEmpty()) {
      throw new UnsupportedModelException(
          "the layout of ModelOpt has no scheme without calibration for %s: fp8_e4m3fn needs activations of the same dtype"
              .formatted(String.join(", ", others)));
    }
    return schemes;
  }

  private static boolean isMixed(ModuleDecision decision) {
    return decision.activations().isQuantized()
        && !decision.activations().dtype().equals(decision.weights().dtype());
  }

  private static Scheme scheme(ModuleDecision decision) {
    Numbers numbers = Numbers.of(decision.weights().dtype()).orElseThrow();
    return new Scheme(
        numbers,
        granularity(numbers, decision.weights().settings().granularity()),
        decision.activations().isQuantized());
  }

  /** A granularity as schemes name it: axis 0 of a matrix is its output channels. */
  static Granularity granularity(Numbers numbers, @Nullable Granularity requested) {
    if (requested == null) {
      return numbers.usualGranularity();
    }
    return requested instanceof Granularity.PerAxis along && along.axis() == 0
        ? Granularity.CHANNEL
        : requested;
  }

  /** Whether the scales of a module are searched. */
  static boolean searches(ModuleDecision decision) {
    return decision.weights().settings().algorithm().equals(CalibrationAlgorithm.MSE);
  }

  /** The modules that are quantized. */
  List<DecidedModule> modules() {
    return modules;
  }

  /** The scheme of a module; empty if it stays native. */
  Optional<Scheme> of(String module) {
    return Optional.ofNullable(schemes.get(module));
  }

  /** The names of the modules of each scheme. */
  Map<Scheme, List<String>> byScheme() {
    Map<Scheme, List<String>> names = new LinkedHashMap<>();
    schemes.forEach(
        (name, scheme) -> names.computeIfAbsent(scheme, any -> new ArrayList<>()).add(name));
    return names;
  }

  /** Modules that engines merge, and that have more than one scheme. */
  List<QuantizationWarning> warnings(QuantizableModel model) {
    Map<String, List<String>> merged = new TreeMap<>();
    model.modules().stream()
        .filter(module -> module.weight().isPresent())
        .forEach(
            module ->
                MergedModules.of(module.name())
                    .ifPresent(
                        group ->
                            merged
                                .computeIfAbsent(group, any -> new ArrayList<>())
                                .add(module.name())));
    List<List<String>> unequal =
        merged.values().stream()
            .filter(names -> names.stream().map(this::of).distinct().count() > 1)
            .toList();
    if (unequal.isEmpty()) {
      return List.of();
    }
    return List.of(
        new QuantizationWarning(
            QuantizationWarning.Kind.OTHER,
            "engines that merge %s refuse the checkpoint unless all of them have one scheme%s"
                .formatted(String.join(", ", unequal.get(0)), others(unequal.size() - 1)),
            null,
            unequal.stream().flatMap(List::stream).toList()));
  }

  private static String others(int sets) {
    return switch (sets) {
      case 0 -> "";
      case 1 -> "; the same holds for 1 more set of modules";
      default -> "; the same holds for %d more sets of modules".formatted(sets);
    };
  }
}
