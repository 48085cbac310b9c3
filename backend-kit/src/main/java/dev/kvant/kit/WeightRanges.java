package dev.kvant.kit;

import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds how much of a weight, or of each of its channels, codes can hold. Weights are read block by
 * block, some channels at a time, on several threads; memory does not grow with the weight, and the
 * ranges depend on neither the threads nor the blocks.
 *
 * @since 0.1.0
 */
public final class WeightRanges {

  /**
   * The elements of a weight as float32.
   *
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Elements {

    /**
     * Reads elements; several threads call this at once.
     *
     * @param first the row-major index of the first
     * @param count how many
     * @return a buffer of which those elements remain
     */
    FloatBuffer read(long first, int count);
  }

  /** Elements that a thread holds at once. */
  private static final int BLOCK = 1 << 18;

  /** Channels that a thread observes at once if it cannot hold them; 64 KiB for each. */
  private static final int CHANNELS = 64;

  private final Elements elements;
  private final Grid grid;
  private final Supplier<RangeObserver> observers;
  private final int threads;

  /**
   * A search for ranges of one weight.
   *
   * @param elements reads the weight
   * @param grid what it is quantized to
   * @param observers makes what finds a range
   * @param threads how many threads observe, 1 or more
   */
  public WeightRanges(
      Elements elements, Grid grid, Supplier<RangeObserver> observers, int threads) {
    this.elements = elements;
    this.grid = grid;
    this.observers = observers;
    this.threads = threads;
  }

  /**
   * The largest magnitude that codes can hold.
   *
   * @param count the number of elements, 1 or more
   * @throws NonFiniteValueException if an element is NaN or infinite; names its row-major index
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public float amax(long count) {
    long share = Math.max(BLOCK, (count + threads - 1) / threads);
    RangeObserver all = observers.get();
    run(
        (count + share - 1) / share,
        task -> {
          RangeObserver own = observers.get();
          long end = Math.min(count, (task + 1) * share);
          for (long first = task * share; first < end; first += BLOCK) {
            own.observe(elements.read(first, (int) Math.min(BLOCK, end - first)), first);
          }
          return own;
        },
        all::merge);
    return all.range(grid).amax();
  }

  /**
   * The largest magnitude of each channel that codes can hold. In row-major order the weight is
   * {@code slices} times a matrix {@code [channels, columns]}; none of these is 0.
   *
   * @throws NonFiniteValueException if an element is NaN or infinite; names its row-major index
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public float[] amax(long slices, int channels, long columns) {
    float[] amax = new float[channels];
    long perChannel = Math.multiplyExact(slices, columns);
    long held = perChannel <= BLOCK ? BLOCK / perChannel : Math.min(CHANNELS, BLOCK / columns);
    int share = (channels + threads - 1) / threads;
    int group = (int) Math.max(1, Math.min(share, held));
    run(
        (channels + group - 1) / group,
        task -> {
          int from = (int) task * group;
          new Channels(slices, channels, columns, from, Math.min(channels, from + group), amax)
              .observe();
          return true;
        },
        any -> {});
    return amax;
  }

  private <R> void run(long tasks, OrderedTasks.Task<R> task, OrderedTasks.Output<R> output) {
    // Tasks that are done before they are waited for would hide it.
    if (Thread.currentThread().isInterrupted()) {
      throw new QuantizationCancelledException("the search for ranges was interrupted");
    }
    try {
      OrderedTasks.run(threads, tasks, task, output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Channels that one thread observes. */
  private final class Channels {

    private final long slices;
    private final int channels;
    private final long columns;
    private final int from;
    private final float[] amax;
    private final @Nullable RangeObserver[] own;

    private Channels(long slices, int channels, long columns, int from, int to, float[] amax) {
      this.slices = slices;
      this.channels = channels;
      this.columns = columns;
      this.from = from;
      this.amax = amax;
      this.own = new RangeObserver[to - from];
    }

    private void observe() {
      // Only a channel alone has rows that are longer than a block.
      int width = (int) Math.min(columns, BLOCK);
      int atOnce = (int) Math.min(slices, Math.max(1, BLOCK / ((long) own.length * width)));
      float[][] values = new float[own.length][atOnce * width];
      for (long slice = 0; slice < slices; slice += atOnce) {
        int rows = (int) Math.min(atOnce, slices - slice);
        for (long column = 0; column < columns; column += width) {
          int read = (int) Math.min(width, columns - column);
          gather(values, slice, rows, column, read);
          boolean last = slice + rows == slices && column + read == columns;
          for (int channel = 0; channel < own.length; channel++) {
            observe(
                channel, FloatBuffer.wrap(values[channel], 0, rows * read), slice, column, read);
            if (last) {
              amax[from + channel] = observer(channel).range(grid).amax();
              own[channel] = null;
            }
          }
        }
      }
    }

    private void gather(float[][] values, long slice, int rows, long column, int width) {
      for (int row = 0; row < rows; row++) {
        FloatBuffer read =
            elements.read(index(slice + row, 0, column), Math.multiplyExact(own.length, width));
        for (float[] channel : values) {
          read.get(channel, row * width, width);
        }
      }
    }

    private void observe(int channel, FloatBuffer values, long slice, long column, int width) {
      try {
        observer(channel).observe(values, 0);
      } catch (NonFiniteValueException e) {
        throw new NonFiniteValueException(
            index(slice + e.index() / width, channel, column + e.index() % width), e.value());
      }
    }

    private RangeObserver observer(int channel) {
      RangeObserver known = own[channel];
      if (known == null) {
        known = observers.get();
        own[channel] = known;
      }
      return known;
    }

    private long index(long slice, int channel, long column) {
      return (slice * channels + from + channel) * columns + column;
    }
  }
}
