package dev.kvant.numerics.observer;

import java.nio.FloatBuffer;

/** Keeps a histogram and searches a range for it. */
final class HistogramObserver implements RangeObserver {

  /** Finds a range for a non-empty histogram. */
  @FunctionalInterface
  interface Search {
    ValueRange range(Histogram histogram, Grid grid);
  }

  private final Search search;
  private final Histogram histogram = new Histogram();

  HistogramObserver(Search search) {
    this.search = search;
  }

  @Override
  public void observe(FloatBuffer values, long firstIndex) {
    histogram.add(values, firstIndex);
  }

  @Override
  public void merge(RangeObserver other) {
    if (!(other instanceof HistogramObserver counts)) {
      throw new IllegalArgumentException("other: is another kind of observer");
    }
    histogram.merge(counts.histogram);
  }

  @Override
  public void observe(Histogram counted) {
    histogram.merge(counted);
  }

  @Override
  public boolean isEmpty() {
    return histogram.total() == 0;
  }

  @Override
  public ValueRange range(Grid grid) {
    ValueRange whole = histogram.range();
    return whole.amax() == 0 ? whole : search.range(histogram, grid);
  }
}
