package dev.kvant.api;

import java.util.Objects;

/**
 * How far a long step has come.
 *
 * @param step what is being done, as in {@code quantize}
 * @param done how many units are done
 * @param total how many there are, or -1 when unknown
 * @param unit what is counted, in the plural, as in {@code modules}
 * @param item what was worked on last, or the empty string
 * @since 0.1.0
 */
public record Progress(String step, long done, long total, String unit, String item) {

  public Progress {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(unit, "unit");
    Objects.requireNonNull(item, "item");
  }
}
