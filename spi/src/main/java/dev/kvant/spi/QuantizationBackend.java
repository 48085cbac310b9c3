package dev.kvant.spi;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A way to quantize models, found by {@link java.util.ServiceLoader}.
 *
 * <p>The constructor does nothing: no I/O, no native library, no network. All methods may be called
 * by several threads at once.
 *
 * @since 0.1.0
 */
public interface QuantizationBackend {

  /** What the backend is and can do; cheap, the same at every call. */
  BackendDescriptor descriptor();

  /** Whether it can work on this machine. */
  default Availability availability() {
    return Availability.available();
  }

  /**
   * What is wrong with a configuration beyond what the descriptor tells, all of it at once. Dtypes,
   * mode, algorithm and the types of {@code backend_kwargs} were checked against the descriptor
   * before. Paths start with {@code quantize}.
   */
  default List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return List.of();
  }

  /**
   * What to do with a model of a format that is not among the descriptor's, as a half-sentence;
   * empty if nothing helps.
   *
   * @param format the id of the format
   */
  default Optional<String> remedy(String format) {
    return Optional.empty();
  }

  /**
   * The configuration that suits a model best, for users who leave the choice to the backend. Looks
   * at the descriptions of the modules only, so that it is cheap. The default takes the first mode
   * and the first dtypes of the descriptor that meet the request.
   *
   * @param model was opened by any format among the descriptor's, or stands for one
   * @param request what the configuration must meet; the descriptor has its mode, dtype and target.
   *     A backend that cannot use the data that is offered leaves the model to others
   * @return empty if it recommends none for this model, or none meets the request; the runtime
   *     fills in the backend, the calibration data and the paths
   */
  default Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    return new DescribedRecipe(descriptor(), request).recipe();
  }

  /**
   * Configurations that may suit a model, for a search that measures them: those that differ in
   * size, speed or accuracy, {@link #recommend the recommended one} first. Looks at the
   * descriptions of the modules only. Every configuration must meet the request and {@link
   * #validate}, and no two may be equal. The default gives each mode with each of its algorithms
   * and its first dtypes.
   *
   * @param model was opened by any format among the descriptor's, or stands for one
   * @param request what the configurations must meet; the descriptor has its mode, dtype and target
   * @return none if none is recommended for this model
   */
  default List<Recipe> alternatives(QuantizableModel model, RecipeRequest request) {
    return Stream.concat(
            recommend(model, request).stream(),
            new DescribedRecipe(descriptor(), request)
                .alternatives()
                .filter(recipe -> validate(recipe.config()).isEmpty()))
        .collect(
            Collectors.toMap(
                Recipe::config, recipe -> recipe, (first, second) -> first, LinkedHashMap::new))
        .values()
        .stream()
        .toList();
  }

  /**
   * Returns the model as it will be quantized. A backend that first changes a model, for instance
   * by fusing operators, describes here the modules that are left: the plan is made for these, and
   * {@link #begin} receives this model.
   *
   * @param model was opened by any format among the descriptor's, or stands for one: its tensors
   *     are then read by {@link QuantizableModel#tensors()} alone
   * @param context what the run works with
   * @return the model itself, or one that reads from it and has nothing to close
   * @throws dev.kvant.api.UnsupportedModelException if nothing of the model can be quantized
   */
  default QuantizableModel prepare(QuantizableModel model, RunContext context) {
    return model;
  }

  /** Whether an operand of a module can be quantized. Decides by the description alone. */
  Support supports(SupportQuery query);

  /**
   * Begins to quantize a model: parses what it needs of the model's file, and refuses here what
   * only the file shows, before any long work. The caller closes the run before the model.
   *
   * @param model the model that {@link #prepare} returned
   * @param plan what to do, made for this model and this configuration
   * @param context what the run works with
   * @throws dev.kvant.api.UnsupportedModelException if the model cannot be quantized as planned
   */
  QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context);
}
