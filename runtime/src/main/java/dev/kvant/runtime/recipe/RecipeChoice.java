package dev.kvant.runtime.recipe;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Internal;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.plan.Planner;
import dev.kvant.runtime.report.QuantizedBefore;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Chooses the recipe for a model among those of the backends. Of several, that one wins whose plan
 * quantizes the most bytes of weights; of equals, the one whose backend's id comes first.
 *
 * @since 0.1.0
 */
@Internal
public final class RecipeChoice {

  private static final String TARGET = "target";

  /** How many reasons are given why nothing can be quantized. */
  private static final int MOST_REASONS = 3;

  private final List<QuantizationBackend> backends;
  private final RecipeRequest request;

  /** A recipe, and what its plan quantizes of the model as it was opened. */
  private record Candidate(QuantizationBackend backend, Recipe recipe, String format, long bytes) {

    String id() {
      return backend.descriptor().id();
    }
  }

  /**
   * @param backends the backends to choose from
   * @param request what the recipe must meet
   */
  public RecipeChoice(List<QuantizationBackend> backends, RecipeRequest request) {
    this.backends = List.copyOf(backends);
    this.request = request;
  }

  /**
   * The recipe for a model.
   *
   * @throws InvalidConfigurationException if no backend meets the request
   * @throws UnsupportedModelException if no backend reads the model or can work here, the model is
   *     quantized already, or nothing of it can be quantized
   */
  public Recipe recipe(QuantizableModel model) {
    QuantizedBefore.refuse(model);
    List<QuantizationBackend> able = able(model);
    List<Candidate> candidates = new ArrayList<>();
    for (QuantizationBackend backend : able) {
      backend
          .recommend(model, request)
          .map(recipe -> completed(recipe, backend.descriptor()))
          .ifPresent(recipe -> candidates.add(candidate(backend, recipe, model)));
    }
    if (candidates.isEmpty()) {
      throw noRecipe(model, able);
    }
    candidates.sort(
        Comparator.comparingLong(Candidate::bytes).reversed().thenComparing(Candidate::id));
    Candidate best = candidates.get(0);
    if (best.bytes() == 0) {
      requireEffect(best, model);
    }
    return candidates.size() == 1
        ? best.recipe()
        : preferred(best, candidates.subList(1, candidates.size()));
  }

  /**
   * All recipes that the backends offer for a model, by backend. Data that a mode does not use is
   * no obstacle, and no part of its recipe.
   *
   * @throws InvalidConfigurationException if no backend meets the request
   * @throws UnsupportedModelException if no backend reads the model or can work here, the model is
   *     quantized already, or no backend offers a recipe
   */
  public List<Recipe> alternatives(QuantizableModel model) {
    QuantizedBefore.refuse(model);
    List<QuantizationBackend> able = able(model);
    Map<ModelQuantizationConfig, Recipe> all = new LinkedHashMap<>();
    for (QuantizationBackend backend : able) {
      for (Recipe recipe : backend.alternatives(model, request)) {
        Recipe completed = completed(recipe, backend.descriptor());
        ModelQuantizationConfig config = completed.config();
        ModeDescriptor abilities = backend.descriptor().modes().get(config.mode());
        if (abilities != null && !abilities.calibrates()) {
          completed = completed.with(config.toBuilder().calibration(null).build());
        }
        all.putIfAbsent(completed.config(), completed);
      }
    }
    if (all.isEmpty()) {
      throw noRecipe(model, able);
    }
    return List.copyOf(all.values());
  }

  private static Recipe preferred(Candidate best, List<Candidate> others) {
    Map<String, String> comments = new HashMap<>(best.recipe().comments());
    comments.putIfAbsent(
        "backend",
        others.stream()
            .map(Candidate::id)
            .collect(Collectors.joining(", ", "quantizes at least as many weights as ", "")));
    return new Recipe(best.recipe().config(), best.recipe().reason(), comments);
  }

  private Recipe completed(Recipe recipe, BackendDescriptor descriptor) {
    ModelQuantizationConfig.Builder config =
        recipe.config().toBuilder().backend(descriptor.id()).calibration(request.calibration());
    if (recipe.config().mode() == null) {
      config.mode(descriptor.modes().keySet().iterator().next());
    }
    return recipe.with(config.build());
  }

  /** The backends that read the model and have what is requested. */
  private List<QuantizationBackend> able(QuantizableModel model) {
    List<QuantizationBackend> reading =
        backends.stream()
            .filter(backend -> Planner.readableAs(model, backend.descriptor()).isPresent())
            .toList();
    if (reading.isEmpty()) {
      throw new UnsupportedModelException(
          "%s is a model of format '%s', which no backend quantizes; %s%s"
              .formatted(
                  model.source(),
                  model.format(),
                  each(backends, descriptor -> " takes " + String.join(", ", descriptor.formats())),
                  remedies(backends, model)));
    }
    List<QuantizationBackend> working =
        reading.stream()
            .filter(backend -> !(backend.availability() instanceof Availability.Unavailable))
            .toList();
    if (working.isEmpty()) {
      throw new UnsupportedModelException(
          "%s is a model of format '%s', and its backends cannot work here: %s"
              .formatted(model.source(), model.format(), whyUnavailable(reading)));
    }
    List<QuantizationBackend> able = with("mode", working, this::hasMode, RecipeChoice::modes);
    able = with("dtype", able, this::hasDtype, this::dtypes);
    return with(
        TARGET,
        able,
        descriptor -> request.target() == null || targets(descriptor).contains(request.target()),
        RecipeChoice::targets);
  }

  /** What is left of the backends, or the error that none has what is requested. */
  private List<QuantizationBackend> with(
      String key,
      List<QuantizationBackend> candidates,
      Predicate<BackendDescriptor> condition,
      Function<BackendDescriptor, List<String>> offered) {
    List<QuantizationBackend> left =
        candidates.stream().filter(backend -> condition.test(backend.descriptor())).toList();
    if (left.isEmpty()) {
      Object wanted =
          switch (key) {
            case "mode" -> request.mode();
            case "dtype" -> request.dtype();
            default -> request.target();
          };
      throw new InvalidConfigurationException(
          key,
          "no backend has '%s' for this model; %s"
              .formatted(
                  wanted,
                  each(
                      candidates,
                      descriptor ->
                          offered.apply(descriptor).isEmpty()
                              ? " has no " + key
                              : " has " + String.join(", ", offered.apply(descriptor)))));
    }
    return left;
  }

  private boolean hasMode(BackendDescriptor descriptor) {
    return request.mode() == null || descriptor.modes().containsKey(request.mode());
  }

  private static List<String> modes(BackendDescriptor descriptor) {
    return descriptor.modes().keySet().stream().map(QuantizationMode::name).toList();
  }

  private boolean hasDtype(BackendDescriptor descriptor) {
    return request.dtype() == null || dtypes(descriptor).contains(request.dtype().toString());
  }

  /** The dtypes of weights in the modes that the request leaves. */
  private List<String> dtypes(BackendDescriptor descriptor) {
    return descriptor.modes().entrySet().stream()
        .filter(mode -> request.mode() == null || request.mode().equals(mode.getKey()))
        .map(Map.Entry::getValue)
        .flatMap(abilities -> abilities.weights().stream())
        .map(Object::toString)
        .distinct()
        .toList();
  }

  private static List<String> targets(BackendDescriptor descriptor) {
    return descriptor.options().stream()
        .filter(option -> option.key().equals(TARGET))
        .map(OptionDescriptor::allowed)
        .findFirst()
        .orElse(List.of());
  }

  private RuntimeException noRecipe(QuantizableModel model, List<QuantizationBackend> able) {
    boolean usesData =
        able.stream()
            .flatMap(backend -> backend.descriptor().modes().values().stream())
            .anyMatch(ModeDescriptor::calibrates);
    if (request.hasData() && !usesData) {
      return new InvalidConfigurationException(
          List.of(
              new ConfigurationProblem(
                  "calibration",
                  "no backend uses data for a model of format '%s'; leave it out%s"
                      .formatted(model.format(), remedies(backends, model)))));
    }
    return new UnsupportedModelException(
        "no recipe for %s %s data: %s recommend none; write a spec"
            .formatted(
                model.source(),
                request.hasData() ? "with" : "without",
                able.stream()
                    .map(backend -> backend.descriptor().id())
                    .collect(Collectors.joining(", "))));
  }

  private static String each(
      List<QuantizationBackend> backends, Function<BackendDescriptor, String> what) {
    return backends.isEmpty()
        ? "no backend is installed"
        : backends.stream()
            .map(QuantizationBackend::descriptor)
            .map(descriptor -> descriptor.id() + what.apply(descriptor))
            .collect(Collectors.joining("; "));
  }

  private static String remedies(List<QuantizationBackend> backends, QuantizableModel model) {
    return backends.stream()
        .flatMap(
            backend ->
                backend
                    .remedy(model.format())
                    .map(remedy -> "; for %s: %s".formatted(backend.descriptor().id(), remedy))
                    .stream())
        .collect(Collectors.joining());
  }

  private static String whyUnavailable(List<QuantizationBackend> backends) {
    List<String> reasons = new ArrayList<>();
    for (QuantizationBackend backend : backends) {
      if (backend.availability() instanceof Availability.Unavailable unavailable) {
        reasons.add("%s: %s".formatted(backend.descriptor().id(), unavailable.reason()));
      }
    }
    return String.join("; ", reasons);
  }

  private static Candidate candidate(
      QuantizationBackend backend, Recipe recipe, QuantizableModel model) {
    QuantizationPlan plan = new Planner(recipe.config(), backend).plan(model);
    String format = Planner.readableAs(model, backend.descriptor()).orElseThrow();
    return new Candidate(backend, recipe, format, quantizedBytes(plan, model));
  }

  private static long quantizedBytes(QuantizationPlan plan, QuantizableModel model) {
    Set<String> quantized =
        plan.modules().stream()
            .filter(ModuleDecision::isQuantized)
            .map(ModuleDecision::module)
            .collect(Collectors.toSet());
    return model.modules().stream()
        .filter(module -> quantized.contains(module.name()))
        .flatMap(module -> module.tensors().stream())
        .filter(tensor -> tensor.elementType().isFloatingPoint())
        .mapToLong(TensorDescription::bytes)
        .sum();
  }

  /** What cannot be quantized as it was opened may become so once the backend has prepared it. */
  private static void requireEffect(Candidate best, QuantizableModel model) {
    ModelQuantizationConfig config = best.recipe().config();
    QuantizableModel prepared =
        best.backend()
            .prepare(model, RunContext.builder(config, best.backend().descriptor()).build());
    QuantizationPlan plan = new Planner(config, best.backend()).plan(prepared);
    if (plan.modules().stream().noneMatch(ModuleDecision::isQuantized)) {
      throw new UnsupportedModelException(
          "backend '%s' can quantize nothing of %s in %s: %s"
              .formatted(best.id(), model.source(), config.mode(), whyNothing(best, prepared)));
    }
  }

  private static String whyNothing(Candidate best, QuantizableModel model) {
    Map<String, String> reasons = new LinkedHashMap<>();
    for (ModuleDescription module : model.modules()) {
      if (module.hasWeights() && reasons.size() < MOST_REASONS) {
        reasons.computeIfAbsent(module.type(), type -> reason(best, module));
      }
    }
    return reasons.isEmpty()
        ? "no module has weights"
        : reasons.entrySet().stream()
            .map(each -> "%s: %s".formatted(each.getKey(), each.getValue()))
            .collect(Collectors.joining("; "));
  }

  private static String reason(Candidate best, ModuleDescription module) {
    ModelQuantizationConfig config = best.recipe().config();
    Support support =
        best.backend()
            .supports(
                new SupportQuery(
                    module,
                    Operand.WEIGHTS,
                    config.defaultLayerDtype(),
                    null,
                    best.format(),
                    config));
    return support instanceof Support.No no ? no.reason() : "the recipe leaves it native";
  }
}
