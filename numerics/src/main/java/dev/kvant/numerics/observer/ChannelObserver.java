package dev.kvant.numerics.observer;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Collects the ranges of channels and a sample of rows, see {@link ChannelStatistics}. Values must
 * be finite, which its caller checks. For use by one thread.
 */
final class ChannelObserver {

  /** The multiplier of the 64-bit variant of Knuth's linear congruential generator. */
  private static final long MULTIPLIER = 6364136223846793005L;

  private float @Nullable [] mins;
  private float @Nullable [] maxs;
  private final TreeMap<Long, float[]> rows = new TreeMap<>();

  /**
   * Observes rows.
   *
   * @param values the values from position to limit, row by row; the position stays unchanged
   * @param channels the number of values in a row
   * @throws IllegalArgumentException if the values are no whole rows, or earlier ones had another
   *     number of channels
   */
  void observe(FloatBuffer values, int channels) {
    if (!values.hasRemaining()) {
      return;
    }
    if (channels < 1 || values.remaining() % channels != 0) {
      throw new IllegalArgumentException(
          "%d values are no rows of %d channels".formatted(values.remaining(), channels));
    }
    float[] least = mins(channels);
    float[] most = maxs(channels);
    int limit = ChannelStatistics.mostRows(channels);
    float[] row = new float[channels];
    for (int from = values.position(); from < values.limit(); from += channels) {
      values.get(from, row);
      for (int channel = 0; channel < channels; channel++) {
        least[channel] = Math.min(least[channel], row[channel]);
      }
      for (int channel = 0; channel < channels; channel++) {
        most[channel] = Math.max(most[channel], row[channel]);
      }
      if (keep(rows, row, limit)) {
        row = new float[channels];
      }
    }
  }

  /** Adds what other statistics hold, which stay unchanged. */
  void merge(ChannelStatistics other) {
    int channels = other.channels();
    float[] least = mins(channels);
    float[] most = maxs(channels);
    for (int channel = 0; channel < channels; channel++) {
      least[channel] = Math.min(least[channel], other.mins()[channel]);
      most[channel] = Math.max(most[channel], other.maxs()[channel]);
    }
    int limit = ChannelStatistics.mostRows(channels);
    other.hashedRows().forEach((hash, row) -> keep(rows, hash, row, limit));
  }

  private float[] mins(int channels) {
    float[] known = mins;
    if (known == null) {
      known = filled(channels, Float.POSITIVE_INFINITY);
      mins = known;
    }
    check(known, channels);
    return known;
  }

  private float[] maxs(int channels) {
    float[] known = maxs;
    if (known == null) {
      known = filled(channels, Float.NEGATIVE_INFINITY);
      maxs = known;
    }
    check(known, channels);
    return known;
  }

  private static float[] filled(int count, float value) {
    float[] array = new float[count];
    Arrays.fill(array, value);
    return array;
  }

  private static void check(float[] known, int channels) {
    if (known.length != channels) {
      throw new IllegalArgumentException(
          "channels must be %d, as before, were %d".formatted(known.length, channels));
    }
  }

  /** Keeps a row if its hash is among the smallest; tells whether it did. */
  static boolean keep(NavigableMap<Long, float[]> rows, float[] row, int limit) {
    return keep(rows, hash(row), row, limit);
  }

  private static boolean keep(NavigableMap<Long, float[]> rows, long hash, float[] row, int limit) {
    if ((rows.size() == limit && hash >= rows.lastKey()) || rows.containsKey(hash)) {
      return false;
    }
    rows.put(hash, row);
    if (rows.size() > limit) {
      rows.pollLastEntry();
    }
    return true;
  }

  private static long hash(float[] row) {
    long hash = row.length;
    for (float value : row) {
      hash = hash * MULTIPLIER + Float.floatToIntBits(value);
    }
    // The high bits depend on all values, the low ones do not: fold, and mix once more.
    hash = (hash ^ (hash >>> 32)) * MULTIPLIER;
    return hash ^ (hash >>> 29);
  }

  /** What was seen; empty if no row was. */
  Optional<ChannelStatistics> statistics() {
    float[] least = mins;
    float[] most = maxs;
    return least == null || most == null
        ? Optional.empty()
        : Optional.of(new ChannelStatistics(least.clone(), most.clone(), new TreeMap<>(rows)));
  }
}
