package dev.kvant.torch;

import dev.kvant.api.ModuleDescription;
import java.util.Optional;

/**
 * Recognizes modules that compute their weight whenever they run, from tensors that training
 * changes. Such a module has no weight that could be quantized until the weight is stored instead.
 *
 * @since 0.1.0
 */
public final class ComputedWeight {

  /** What a parametrization calls its modules and, before the name of their class, its classes. */
  static final String PARAMETRIZED = "Parametrized";

  private static final String PARAMETRIZATIONS = "parametrizations.";

  private ComputedWeight() {}

  /** Why a module has no weight to quantize, and what to do; empty if it does not compute one. */
  public static Optional<String> reason(ModuleDescription module) {
    if (has(module, "weight_g") && has(module, "weight_v")) {
      return Optional.of(reason("weight_norm", "torch.nn.utils.remove_weight_norm(module)"));
    }
    if (has(module, "weight_orig") && has(module, "weight_mask")) {
      return Optional.of(reason("pruning", "torch.nn.utils.prune.remove(module, 'weight')"));
    }
    if (has(module, "weight_orig") && has(module, "weight_u")) {
      return Optional.of(reason("spectral_norm", "torch.nn.utils.remove_spectral_norm(module)"));
    }
    boolean isParametrized =
        module.type().startsWith(PARAMETRIZED)
            || module.names().stream().anyMatch(ComputedWeight::isOfParametrization);
    return isParametrized && module.weight().isEmpty()
        ? Optional.of(
            reason(
                "a parametrization",
                "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight')"))
        : Optional.empty();
  }

  private static boolean has(ModuleDescription module, String tensor) {
    return module.tensor(tensor).isPresent();
  }

  private static boolean isOfParametrization(String name) {
    return name.startsWith(PARAMETRIZATIONS) || name.contains("." + PARAMETRIZATIONS);
  }

  private static String reason(String by, String remedy) {
    return "its weight is computed by %s each time it runs; call %s before the model is saved"
        .formatted(by, remedy);
  }
}
