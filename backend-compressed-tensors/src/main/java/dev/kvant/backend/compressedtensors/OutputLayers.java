package dev.kvant.backend.compressedtensors;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Modules that engines expect native whatever a plan says, told from their names. */
final class OutputLayers {

  private static final Pattern OUTPUT =
      Pattern.compile("(.*\\.)?(lm_head|embed_out|predictions\\.decoder)");

  private static final Pattern ROUTER =
      Pattern.compile("(.*\\.)?(gate|router|shared_expert_gate|gate_wg|router\\..*)");

  private OutputLayers() {}

  /**
   * Output layers that a model may have without a weight in its file, because they are tied to the
   * embedding.
   */
  static List<String> absent(QuantizableModel model) {
    boolean isMasked =
        model.modules().stream().anyMatch(module -> module.name().startsWith("cls."));
    return List.of(isMasked ? "cls.predictions.decoder" : "lm_head");
  }

  /** Why a module stays native; empty if it need not. */
  static Optional<String> reason(ModuleDescription module) {
    String name = module.name();
    if (OUTPUT.matcher(name).matches()) {
      return Optional.of(
          "engines keep the output layer native, whose weight may be the embedding's");
    }
    if (ROUTER.matcher(name).matches()) {
      return Optional.of("it routes tokens to experts, and engines keep routers native");
    }
    return Optional.empty();
  }
}
