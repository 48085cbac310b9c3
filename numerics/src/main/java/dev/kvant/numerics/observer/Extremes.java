package dev.kvant.numerics.observer;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/** The smallest and the largest value; all values must be finite. */
final class Extremes {

  /**
   * The number of values that are copied into an array at a time: loops over arrays are vectorized.
   */
  static final int CHUNK = 2048;

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
    float[] chunk = new float[Math.min(CHUNK, to - from)];
    for (int done = from; done < to; done += chunk.length) {
      int count = Math.min(chunk.length, to - done);
      values.get(done, chunk, 0, count);
      // Math.min and Math.max give NaN once there was one.
      for (int i = 0; i < count; i++) {
        min = Math.min(min, chunk[i]);
      }
      for (int i = 0; i < count; i++) {
        max = Math.max(max, chunk[i]);
      }
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
