package dev.kvant.numerics.observer;

import java.nio.FloatBuffer;

/** Keeps the smallest and the largest value. */
final class MinMaxObserver implements RangeObserver {

  private float min = Float.POSITIVE_INFINITY;
  private float max = Float.NEGATIVE_INFINITY;

  @Override
  public void observe(FloatBuffer values, long firstIndex) {
    ValueRange seen = Extremes.of(values, firstIndex);
    if (seen != null) {
      min = Math.min(min, seen.min());
      max = Math.max(max, seen.max());
    }
  }

  @Override
  public void merge(RangeObserver other) {
    if (!(other instanceof MinMaxObserver extremes)) {
      throw new IllegalArgumentException("other: is another kind of observer");
    }
    min = Math.min(min, extremes.min);
    max = Math.max(max, extremes.max);
  }

  @Override
  public void observe(Histogram counted) {
    if (counted.total() > 0) {
      min = Math.min(min, counted.range().min());
      max = Math.max(max, counted.range().max());
    }
  }

  @Override
  public boolean isEmpty() {
    return min > max;
  }

  @Override
  public ValueRange range(Grid grid) {
    if (isEmpty()) {
      throw new IllegalStateException("no value was observed");
    }
    return new ValueRange(min, max);
  }
}
