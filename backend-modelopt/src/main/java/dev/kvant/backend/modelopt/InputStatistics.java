package dev.kvant.backend.modelopt;

import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.ValueRange;
import java.nio.FloatBuffer;
import java.util.Objects;
import java.util.Optional;

/**
 * What was observed of the input of a module.
 *
 * @param range the smallest and the largest value
 * @param histogram how the values are distributed, if that was observed
 */
record InputStatistics(ValueRange range, Optional<Histogram> histogram) {

  InputStatistics {
    Objects.requireNonNull(range, "range");
    Objects.requireNonNull(histogram, "histogram");
  }

  /** What was observed of one module under two names. */
  InputStatistics plus(InputStatistics other) {
    var both =
        new ValueRange(
            Math.min(range.min(), other.range.min()), Math.max(range.max(), other.range.max()));
    if (histogram.isEmpty() || other.histogram.isEmpty()) {
      return new InputStatistics(both, Optional.empty());
    }
    var counted = new Histogram();
    counted.merge(histogram.get());
    counted.merge(other.histogram.get());
    return new InputStatistics(both, Optional.of(counted));
  }

  /** Shows the observer what was observed, as far as that is known. */
  void showTo(RangeObserver observer) {
    if (histogram.isPresent()) {
      observer.observe(histogram.get());
    } else {
      observer.observe(FloatBuffer.wrap(new float[] {range.min(), range.max()}), 0);
    }
  }
}
