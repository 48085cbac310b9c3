package dev.kvant.kit;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Distribution;
import dev.kvant.api.Distribution.Candidate;
import dev.kvant.api.Distribution.Criterion;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.RangeCurve;
import dev.kvant.numerics.observer.ValueRange;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How values are distributed and why a range was chosen for them, in the few numbers that a report
 * has room for.
 *
 * @since 0.1.0
 */
public final class Distributions {

  private static final int BINS = 64;

  /** Of a larger weight only a sample is counted, in pieces from all over it. */
  private static final long MOST_WEIGHTS = 1 << 18;

  private static final int PIECES = 32;

  private static final MathContext DIGITS = new MathContext(5);

  private Distributions() {}

  /**
   * Describes the values of an activation.
   *
   * @param counted its values
   * @param grid what they are quantized to
   * @param algorithm what chose the range; null if something else than an {@link Observers
   *     observer} did
   * @param chosen the range
   * @return empty if all values are zero, or there is none
   */
  public static Optional<Distribution> of(
      Histogram counted, Grid grid, @Nullable CalibrationAlgorithm algorithm, ValueRange chosen) {
    if (counted.total() == counted.zeros()) {
      return Optional.empty();
    }
    if (CalibrationAlgorithm.MSE.equals(algorithm)) {
      return Optional.of(of(counted, chosen, Criterion.SQNR, RangeCurve.sqnr(counted, grid)));
    }
    if (CalibrationAlgorithm.ENTROPY.equals(algorithm)) {
      return Optional.of(
          of(counted, chosen, Criterion.DIVERGENCE, RangeCurve.divergence(counted, grid)));
    }
    if (CalibrationAlgorithm.PERCENTILE.equals(algorithm)) {
      return Optional.of(of(counted, chosen, Criterion.HELD, RangeCurve.held(counted, grid)));
    }
    return Optional.of(of(counted, chosen, null, List.of()));
  }

  /**
   * Describes a weight. Of more than 262,144 elements a sample of at most so many is counted, in 32
   * pieces that are evenly spread.
   *
   * @param elements reads the weight
   * @param count how many elements it has
   * @param chosen the range that codes hold, the widest if there are several
   * @return empty if all counted elements are zero, or there is none
   */
  public static Optional<Distribution> ofWeight(
      WeightRanges.Elements elements, long count, ValueRange chosen) {
    Histogram counted = new Histogram();
    if (count <= MOST_WEIGHTS) {
      counted.add(elements.read(0, (int) count), 0);
    } else {
      int length = (int) (MOST_WEIGHTS / PIECES);
      for (int piece = 0; piece < PIECES; piece++) {
        long first = (count - length) / (PIECES - 1) * piece;
        counted.add(elements.read(first, length), first);
      }
    }
    return counted.total() == counted.zeros()
        ? Optional.empty()
        : Optional.of(of(counted, chosen, null, List.of()));
  }

  private static Distribution of(
      Histogram counted,
      ValueRange chosen,
      @Nullable Criterion criterion,
      List<RangeCurve.Point> curve) {
    ValueRange whole = counted.range();
    return new Distribution(
        rounded(whole.min()),
        rounded(whole.max()),
        Arrays.stream(counted.counts(BINS)).boxed().toList(),
        rounded(chosen.min()),
        rounded(chosen.max()),
        criterion,
        curve.stream()
            .map(point -> new Candidate(rounded(point.amax()), rounded(point.figure())))
            .toList());
  }

  /** The number with five digits, so that a report of many modules stays small. */
  private static double rounded(double number) {
    return new BigDecimal(number).round(DIGITS).doubleValue();
  }
}
