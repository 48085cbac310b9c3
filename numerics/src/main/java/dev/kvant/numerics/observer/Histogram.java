package dev.kvant.numerics.observer;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Counts values in bins whose width is a power of two.
 *
 * <p>The bins of width {@code w} contain the magnitudes from {@code i w} to before {@code (i + 1)
 * w}, separately for both signs; exact zeros are counted separately. The width is the smallest
 * power of two at which 4096 bins contain the largest observed magnitude. A larger magnitude
 * doubles the width and adds pairs of bins, with the same result as counting with that width from
 * the start. The state therefore depends only on the observed values: not on their order, not on
 * their division into batches, and not on the number of histograms that were merged.
 *
 * <p>Needs 64 KiB for any number of values. For use by one thread.
 *
 * @since 0.1.0
 */
public final class Histogram {

  private static final int LOG_BINS = 12;

  /** The number of bins for each sign. */
  public static final int BINS = 1 << LOG_BINS;

  /** The exponent of the narrowest bins; keeps the reciprocal of their width within float32. */
  public static final int SMALLEST_EXPONENT = -126;

  /** The index of the count of zeros. */
  private static final int ZERO = 2 * BINS;

  /** The bins of positive values, then those of negative ones, then zeros. */
  private final long[] counts = new long[2 * BINS + 1];

  private int exponent = SMALLEST_EXPONENT;
  private long total;
  private float min = Float.POSITIVE_INFINITY;
  private float max = Float.NEGATIVE_INFINITY;

  /** Creates an empty histogram. */
  public Histogram() {}

  /**
   * Returns a histogram of given counts.
   *
   * @param exponent the bins are {@code 2^exponent} wide
   * @param counts the number of values in each bin, in the order of {@link #counts}
   * @param range the smallest and the largest of the values, exactly
   * @return a new histogram
   * @throws IllegalArgumentException if there are not {@code 2 BINS + 1} counts, one is negative,
   *     or the bins are too narrow
   */
  public static Histogram of(int exponent, long[] counts, ValueRange range) {
    if (counts.length != 2 * BINS + 1 || Arrays.stream(counts).anyMatch(count -> count < 0)) {
      throw new IllegalArgumentException(
          "counts must be %d numbers, none of them negative".formatted(2 * BINS + 1));
    }
    if (exponent < SMALLEST_EXPONENT) {
      throw new IllegalArgumentException(
          "exponent must be at least %d, was %d".formatted(SMALLEST_EXPONENT, exponent));
    }
    Histogram histogram = new Histogram();
    histogram.exponent = exponent;
    histogram.counts[ZERO] = counts[BINS];
    for (int bin = 0; bin < BINS; bin++) {
      histogram.counts[bin] = counts[BINS + 1 + bin];
      histogram.counts[BINS + bin] = counts[BINS - 1 - bin];
    }
    histogram.total = Arrays.stream(counts).sum();
    histogram.min = range.min();
    histogram.max = range.max();
    return histogram;
  }

  /**
   * Returns the number of values in each bin, from the most negative one to the most positive one,
   * with the exact zeros in the middle.
   *
   * @return {@code 2 BINS + 1} numbers
   */
  public long[] counts() {
    long[] ordered = new long[2 * BINS + 1];
    ordered[BINS] = counts[ZERO];
    for (int bin = 0; bin < BINS; bin++) {
      ordered[BINS + 1 + bin] = counts[bin];
      ordered[BINS - 1 - bin] = counts[BINS + bin];
    }
    return ordered;
  }

  /**
   * Returns the binary logarithm of {@link #binWidth}.
   *
   * @return at least {@link #SMALLEST_EXPONENT}
   */
  public int exponent() {
    return exponent;
  }

  /**
   * Counts values.
   *
   * @param values the values from position to limit; the position stays unchanged
   * @param firstIndex the index of the first of them in their tensor, for errors
   * @throws NonFiniteValueException if one is NaN or infinite; then nothing is counted
   */
  public void add(FloatBuffer values, long firstIndex) {
    ValueRange seen = Extremes.of(values, firstIndex);
    if (seen == null) {
      return;
    }
    min = Math.min(min, seen.min());
    max = Math.max(max, seen.max());
    widen(exponentFor(seen.amax()));
    float[] chunk = new float[Math.min(Extremes.CHUNK, values.remaining())];
    for (int done = values.position(); done < values.limit(); done += chunk.length) {
      int count = Math.min(chunk.length, values.limit() - done);
      values.get(done, chunk, 0, count);
      count(chunk, count);
    }
    total += values.remaining();
  }

  /**
   * Branches would be predicted wrongly for half of the signs, and for half of a ReLU's outputs.
   */
  private void count(float[] values, int number) {
    float reciprocal = Math.scalb(1f, -exponent);
    for (int i = 0; i < number; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      int magnitude = bits & Integer.MAX_VALUE;
      int sign = bits >>> (Integer.SIZE - 1);
      // All ones for values other than zero.
      int mask = -magnitude >> (Integer.SIZE - 1);
      // The product is exact, or so small that it belongs to the first bin anyway.
      int bin = (int) (Math.abs(values[i]) * reciprocal) + (sign << LOG_BINS);
      counts[(bin & mask) | (ZERO & ~mask)]++;
    }
  }

  /**
   * Adds the counts of another histogram.
   *
   * @param other the other one, which stays unchanged
   */
  public void merge(Histogram other) {
    widen(other.exponent);
    int shift = exponent - other.exponent;
    for (int bin = 0; bin < BINS; bin++) {
      int folded = shift > LOG_BINS ? 0 : bin >> shift;
      counts[folded] += other.counts[bin];
      counts[BINS + folded] += other.counts[BINS + bin];
    }
    counts[ZERO] += other.counts[ZERO];
    total += other.total;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
  }

  /** The exponent of the width at which the bins contain a magnitude. */
  private static int exponentFor(float amax) {
    return Math.max(SMALLEST_EXPONENT, Math.getExponent(amax) + 1 - LOG_BINS);
  }

  private void widen(int newExponent) {
    int shift = newExponent - exponent;
    if (shift <= 0) {
      return;
    }
    if (total > zeros()) {
      for (int bin = 1; bin < BINS; bin++) {
        int folded = shift > LOG_BINS ? 0 : bin >> shift;
        move(bin, folded);
        move(BINS + bin, BINS + folded);
      }
    }
    exponent = newExponent;
  }

  private void move(int from, int to) {
    if (from != to) {
      counts[to] += counts[from];
      counts[from] = 0;
    }
  }

  /**
   * Returns the number of counted values.
   *
   * @return at least 0
   */
  public long total() {
    return total;
  }

  /**
   * Returns the number of zeros, of either sign.
   *
   * @return from 0 to {@link #total()}
   */
  public long zeros() {
    return counts[ZERO];
  }

  /**
   * Returns how many values of either sign are closer to zero than a magnitude, without the zeros.
   *
   * @param magnitude at least 0; values of the bin that contains it are not counted
   * @return from 0 to {@code total() - zeros()}
   */
  public long below(double magnitude) {
    int bins = (int) Math.min(BINS, magnitude / binWidth());
    long below = 0;
    for (int bin = 0; bin < bins; bin++) {
      below += counts[bin] + counts[BINS + bin];
    }
    return below;
  }

  /**
   * Returns the number of values in each of a few wider bins that divide {@link #range()} evenly. A
   * value counts in the bin that holds the center of its own bin, so it may be off by one of them.
   *
   * @param number how many bins, at least 1; all values are in the first if they are one number
   * @return a count for each
   * @throws IllegalStateException if there were no values
   */
  public long[] counts(int number) {
    ValueRange whole = range();
    double width = ((double) whole.max() - whole.min()) / number;
    long[] wide = new long[number];
    if (width == 0) {
      wide[0] = total;
      return wide;
    }
    Bins all = bins();
    for (int bin = 0; bin < all.size(); bin++) {
      wide[place(all.center(bin), whole, width, number)] += all.counts()[bin];
    }
    if (zeros() > 0) {
      wide[place(0, whole, width, number)] += zeros();
    }
    return wide;
  }

  private static int place(double value, ValueRange whole, double width, int number) {
    return (int) Math.max(0, Math.min(number - 1, Math.floor((value - whole.min()) / width)));
  }

  /**
   * Returns the range of the values.
   *
   * @return from the smallest to the largest, exactly
   * @throws IllegalStateException if there were none
   */
  public ValueRange range() {
    if (total == 0) {
      throw new IllegalStateException("no value was observed");
    }
    return new ValueRange(min, max);
  }

  /**
   * Returns the width of the bins.
   *
   * @return a power of two
   */
  public double binWidth() {
    return Math.scalb(1.0, exponent);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Histogram histogram
        && exponent == histogram.exponent
        && Float.compare(min, histogram.min) == 0
        && Float.compare(max, histogram.max) == 0
        && Arrays.equals(counts, histogram.counts);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * exponent + Float.hashCode(min)) + Float.hashCode(max);
  }

  /**
   * Returns the non-empty bins, without the zeros.
   *
   * @return the bins in ascending order of their values
   */
  Bins bins() {
    return bins(0);
  }

  /**
   * Returns the non-empty bins, without the zeros, so wide that they contain some number of values
   * on average: {@code 2^k} neighbors of one sign are pooled, with the smallest sufficient {@code
   * k} from 0 on. At most, all bins of one sign are pooled.
   *
   * @param mean the number of values
   * @return the bins in ascending order of their values
   */
  Bins bins(double mean) {
    int shift = 0;
    Bins bins = pooled(shift);
    while (total - zeros() < mean * bins.size() && shift < LOG_BINS) {
      bins = pooled(++shift);
    }
    return bins;
  }

  private Bins pooled(int shift) {
    long[] pooled = new long[ZERO >> shift];
    for (int bin = 0; bin < ZERO; bin++) {
      pooled[bin >> shift] += counts[bin];
    }
    int each = BINS >> shift;
    int size = (int) Arrays.stream(pooled).filter(count -> count > 0).count();
    double[] lower = new double[size];
    long[] sizes = new long[size];
    double width = Math.scalb(1.0, exponent + shift);
    int next = 0;
    for (int bin = each - 1; bin >= 0; bin--) {
      if (pooled[each + bin] > 0) {
        lower[next] = -(bin + 1) * width;
        sizes[next++] = pooled[each + bin];
      }
    }
    for (int bin = 0; bin < each; bin++) {
      if (pooled[bin] > 0) {
        lower[next] = bin * width;
        sizes[next++] = pooled[bin];
      }
    }
    return new Bins(width, lower, sizes);
  }

  /**
   * Non-empty bins.
   *
   * @param width the width of each
   * @param lower the lower end of each, ascending
   * @param counts the number of values in each
   */
  @SuppressWarnings("ArrayRecordComponent") // read in loops, never visible outside of this package
  record Bins(double width, double[] lower, long[] counts) {

    int size() {
      return lower.length;
    }

    double upper(int bin) {
      return lower[bin] + width;
    }

    double center(int bin) {
      return lower[bin] + width / 2;
    }
  }
}
