package dev.kvant.numerics.observer;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/** Smallest and largest of values, all of which must be finite. */
final class Extremes {

  private Extremes() {}

  /** The range of the values from position to limit; null if there are none. */
  static @Nullable ValueRange of(FloatBuffer values, long firstIndex) {
    int from = values.position();
    int to = values.limit();
    if (from == to) {
      return null;
    }
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      float value = values.get(i);
      // Math.min and Math.max give NaN once there was one.
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (!(min >= -Float.MAX_VALUE && max <= Float.MAX_VALUE)) {
      for (int i = from; i < to; i++) {
        if (!Float.isFinite(values.get(i))) {
          throw new NonFiniteValueException(firstIndex + i - from, values.get(i));
        }
      }
    }
    return new ValueRange(min, max);
  }
}
