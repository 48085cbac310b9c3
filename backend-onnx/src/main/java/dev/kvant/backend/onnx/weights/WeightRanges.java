package dev.kvant.backend.onnx.weights;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.backend.onnx.concurrent.Workers;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Chooses how much of each channel of a weight codes can hold, where that is less than all of it.
 *
 * <p>Some channels are gathered at a time and spread over threads, so that memory does not grow
 * with the weight.
 *
 * @since 0.1.0
 */
public final class WeightRanges {

  /** The algorithms that a channel has enough values for. */
  public static final Set<CalibrationAlgorithm> SEARCHED =
      Set.of(CalibrationAlgorithm.MSE, CalibrationAlgorithm.PERCENTILE);

  /** The most values that a thread gathers, unless one channel has more. */
  private static final long GATHERED = 1 << 18;

  private final StoredTensor weight;
  private final int channels;
  private final long inner;
  private final Grid grid;
  private final Supplier<RangeObserver> observers;

  /**
   * Ranges of a weight that is not empty.
   *
   * @param inner how many consecutive elements belong to one channel
   */
  public WeightRanges(
      StoredTensor weight, int channels, long inner, Grid grid, Supplier<RangeObserver> observers) {
    this.weight = weight;
    this.channels = channels;
    this.inner = inner;
    this.grid = grid;
    this.observers = observers;
  }

  /**
   * The largest magnitude of each channel that codes can hold.
   *
   * @throws NonFiniteValueException if a weight is NaN or infinite, with its index in the weight
   */
  public float[] amax(int parallelism) {
    float[] amax = new float[channels];
    if (channels == 1) {
      amax[0] = wholeAmax();
      return amax;
    }
    long perChannel = weight.elements() / channels;
    int group = (int) Math.max(1, Math.min(channels, GATHERED / perChannel));
    try (Workers<Boolean> workers = new Workers<>(parallelism, () -> true)) {
      for (int first = 0; first < channels; first += group) {
        int from = first;
        int to = Math.min(channels, first + group);
        workers.submit(any -> observe(from, to, Math.toIntExact(perChannel), amax));
      }
      workers.finish();
    }
    return amax;
  }

  private float wholeAmax() {
    RangeObserver observer = observers.get();
    Content content = weight.content();
    long size = weight.type().bytes(1);
    content.forEachBlock(
        (from, block) -> observer.observe(FloatValues.of(weight.type(), block), from / size));
    return observer.range(grid).amax();
  }

  private void observe(int from, int to, int perChannel, float[] amax) {
    float[][] values = new float[to - from][perChannel];
    int length = (int) inner;
    for (int slice = 0; slice < perChannel / length; slice++) {
      long first = ((long) slice * channels + from) * inner;
      FloatBuffer read = read(first, (to - from) * length);
      for (float[] channel : values) {
        read.get(channel, slice * length, length);
      }
    }
    for (int channel = from; channel < to; channel++) {
      RangeObserver observer = observers.get();
      try {
        observer.observe(FloatBuffer.wrap(values[channel - from]), 0);
      } catch (NonFiniteValueException e) {
        long slice = e.index() / inner;
        throw new NonFiniteValueException(
            (slice * channels + channel) * inner + e.index() % inner, e.value());
      }
      amax[channel] = observer.range(grid).amax();
    }
  }

  private FloatBuffer read(long first, int count) {
    long size = weight.type().bytes(1);
    return FloatValues.of(
        weight.type(), weight.content().read(first * size, Math.toIntExact(count * size)));
  }
}
