package dev.kvant.spi;

import dev.kvant.numerics.observer.TensorStatistics;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What calibration observed of the tensors of one model.
 *
 * <p>A value that can be merged: the statistics of parts of a data set, added in any order, equal
 * those of the whole data set observed at once, for extremes and for histograms exactly.
 *
 * @param tensors what was observed, by the names of {@link QuantizationRun#observations()}; empty
 *     for a tensor that the data never reached
 * @since 0.1.0
 */
public record CalibrationStatistics(Map<String, Optional<TensorStatistics>> tensors) {

  /** Nothing was observed. */
  public static final CalibrationStatistics NONE = new CalibrationStatistics(Map.of());

  public CalibrationStatistics {
    tensors = Collections.unmodifiableMap(new TreeMap<>(tensors));
  }

  /** What was observed of a tensor; empty if it was not observed, or the data never reached it. */
  public Optional<TensorStatistics> tensor(String name) {
    return tensors.getOrDefault(name, Optional.empty());
  }

  /** Whether the tensor was observed at all, and as much of it as that asks for. */
  public boolean tells(String name, Observation observation) {
    Optional<TensorStatistics> known = tensors.get(name);
    return known != null && (known.isEmpty() || tells(known.get(), observation));
  }

  private static boolean tells(TensorStatistics known, Observation observation) {
    return switch (observation) {
      case EXTREMES -> true;
      case DISTRIBUTION -> known.histogram().isPresent();
      case CHANNELS -> known.histogram().isPresent() && known.channels().isPresent();
      case SQUARES -> tells(known, Observation.CHANNELS) && known.products().isPresent();
      case PRODUCTS ->
          tells(known, Observation.SQUARES)
              && known.products().filter(sums -> !sums.isDiagonal()).isPresent();
    };
  }

  /** The statistics of the values that both have observed. */
  public CalibrationStatistics plus(CalibrationStatistics other) {
    Map<String, Optional<TensorStatistics>> sum = new TreeMap<>(tensors);
    other.tensors.forEach((name, theirs) -> sum.merge(name, theirs, CalibrationStatistics::sumOf));
    return new CalibrationStatistics(sum);
  }

  private static Optional<TensorStatistics> sumOf(
      Optional<TensorStatistics> one, Optional<TensorStatistics> other) {
    return one.isPresent() && other.isPresent()
        ? Optional.of(one.get().plus(other.get()))
        : one.or(() -> other);
  }
}
