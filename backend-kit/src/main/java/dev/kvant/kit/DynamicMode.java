package dev.kvant.kit;

import dev.kvant.api.QuantizationWarning;
import java.util.List;

/**
 * What backends have in common whose artifacts find the ranges of activations as they run.
 *
 * @since 0.1.0
 */
public final class DynamicMode {

  private DynamicMode() {}

  /** Warns that a sample's output depends on its batch, where all samples share one scale. */
  public static QuantizationWarning batchDependence() {
    return new QuantizationWarning(
        QuantizationWarning.Kind.OTHER,
        "dynamic_ptq finds one scale for a whole batch, so the output for a sample depends on the"
            + " other samples in its batch; static_ptq does not",
        null,
        List.of());
  }
}
