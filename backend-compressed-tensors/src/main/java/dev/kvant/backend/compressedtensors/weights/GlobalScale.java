package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.kit.WeightRanges;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import java.util.List;

/**
 * The scale that all groups of an NVFP4 weight share. Weights that engines merge have the same one,
 * so it is that of the largest magnitude among them.
 *
 * @since 0.1.0
 */
public final class GlobalScale {

  private final List<WeightValues> weights;
  private final Layout layout;
  private final int threads;
  private float found;

  /**
   * The scale of weights of one type; nothing is read yet.
   *
   * @param weights those that share it, 1 or more
   * @param layout how it is stored
   * @param threads how many threads read
   */
  public GlobalScale(List<WeightValues> weights, Layout layout, int threads) {
    this.weights = List.copyOf(weights);
    this.layout = layout;
    this.threads = threads;
  }

  /** The scale; reads the weights when it is asked for the first time. */
  float value() {
    if (found == 0) {
      float amax = 0;
      for (WeightValues weight : weights) {
        amax = Math.max(amax, amax(weight));
      }
      FloatType type = FloatType.find(weights.get(0).tensor().elementType().label()).orElseThrow();
      found = Float4Rows.globalScale(type, layout, amax);
    }
    return found;
  }

  private float amax(WeightValues weight) {
    var ranges =
        new WeightRanges(weight::readAny, Grid.FLOAT8_E4M3FN, RangeObserver::minmax, threads);
    try {
      return ranges.amax(weight.tensor().elements());
    } catch (NonFiniteValueException e) {
      throw weight.notFinite(e);
    }
  }
}
