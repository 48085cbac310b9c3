package dev.kvant.api;

import java.util.Objects;

/**
 * The progress of a long step.
 *
 * @param step the step, as in {@code quantize}
 * @param done the number of completed units
 * @param total the number of all units, or -1 if unknown
 * @param unit the name of the units, in the plural, as in {@code modules}
 * @param item the last item, or the empty string
 * @since 0.1.0
 */
public record Progress(String step, long done, long total, String unit, String item) {

  public Progress {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(unit, "unit");
    Objects.requireNonNull(item, "item");
  }
}
