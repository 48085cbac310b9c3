package dev.kvant.spi;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.spi.ModeDescriptor.Calibration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The recipe of a backend of which only the descriptor is known. */
final class DescribedRecipe {

  private final BackendDescriptor descriptor;
  private final RecipeRequest request;

  DescribedRecipe(BackendDescriptor descriptor, RecipeRequest request) {
    this.descriptor = descriptor;
    this.request = request;
  }

  /** The first mode that meets the request, with the first dtypes that it lists. */
  Optional<Recipe> recipe() {
    return descriptor.modes().entrySet().stream()
        .filter(mode -> meets(mode.getKey(), mode.getValue()))
        .findFirst()
        .map(mode -> recipe(mode.getKey(), mode.getValue()));
  }

  /** Every mode that meets the request, with each of its algorithms. */
  Stream<Recipe> alternatives() {
    return descriptor.modes().entrySet().stream()
        .filter(mode -> meetsWithOrWithoutData(mode.getKey(), mode.getValue()))
        .flatMap(mode -> alternatives(mode.getKey(), mode.getValue()));
  }

  private Stream<Recipe> alternatives(QuantizationMode mode, ModeDescriptor abilities) {
    Recipe first = recipe(mode, abilities);
    return abilities.algorithms().isEmpty()
        ? Stream.of(first)
        : abilities.algorithms().stream()
            .map(algorithm -> first.with(first.config().toBuilder().algorithm(algorithm).build()));
  }

  /** Data is no obstacle to a mode that does not use it. */
  private boolean meetsWithOrWithoutData(QuantizationMode mode, ModeDescriptor abilities) {
    return meets(mode, abilities)
        || (request.mode() == null
            && request.hasData()
            && hasWeights(abilities)
            && abilities.calibration() == Calibration.NONE);
  }

  private boolean hasWeights(ModeDescriptor abilities) {
    List<Dtype> weights = abilities.weights();
    return !weights.isEmpty() && (request.dtype() == null || weights.contains(request.dtype()));
  }

  private boolean meets(QuantizationMode mode, ModeDescriptor abilities) {
    if (!hasWeights(abilities)) {
      return false;
    }
    if (request.mode() != null) {
      return request.mode().equals(mode);
    }
    return request.hasData()
        ? abilities.calibrates()
        : abilities.calibration() != Calibration.REQUIRED;
  }

  private Recipe recipe(QuantizationMode mode, ModeDescriptor abilities) {
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(descriptor.id())
            .mode(mode)
            .defaultLayerDtype(dtype(abilities, Operand.WEIGHTS))
            .calibration(request.calibration());
    if (!abilities.calibrates() || request.hasData()) {
      config.defaultActivationDtype(dtype(abilities, Operand.ACTIVATIONS));
    }
    if (request.target() != null) {
      config.backendKwarg("target", request.target());
    }
    return new Recipe(
        config.build(),
        "Backend '%s' recommends no recipe of its own: this is its first mode that fits."
            .formatted(descriptor.id()),
        Map.of());
  }

  private Dtype dtype(ModeDescriptor abilities, Operand operand) {
    List<Dtype> dtypes = abilities.dtypes(operand);
    Dtype wanted = request.dtype();
    if (wanted != null && dtypes.contains(wanted)) {
      return wanted;
    }
    return dtypes.isEmpty() ? Dtype.NATIVE : dtypes.get(0);
  }
}
