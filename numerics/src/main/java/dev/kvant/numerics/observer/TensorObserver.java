package dev.kvant.numerics.observer;

import java.nio.FloatBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Collects the statistics of one tensor, batch after batch.
 *
 * <p>What it collects depends only on which values it saw, neither on their order nor on how they
 * were cut into batches or spread over observers that were merged. For use by one thread.
 *
 * @since 0.1.0
 */
public final class TensorObserver {

  private final @Nullable Histogram histogram;
  private final @Nullable ChannelObserver channels;
  private float min = Float.POSITIVE_INFINITY;
  private float max = Float.NEGATIVE_INFINITY;
  private long ignored;

  private TensorObserver(@Nullable Histogram histogram, @Nullable ChannelObserver channels) {
    this.histogram = histogram;
    this.channels = channels;
  }

  /**
   * Returns an observer of the smallest and the largest value.
   *
   * @return a new one
   */
  public static TensorObserver ofExtremes() {
    return new TensorObserver(null, null);
  }

  /**
   * Returns an observer of the distribution.
   *
   * @return a new one
   */
  public static TensorObserver ofDistribution() {
    return new TensorObserver(new Histogram(), null);
  }

  /**
   * Returns an observer of the distribution, of the range of each channel and of a sample of rows.
   *
   * @return a new one
   */
  public static TensorObserver ofChannels() {
    return new TensorObserver(new Histogram(), new ChannelObserver());
  }

  /**
   * Observes values of a tensor whose last axis has that many channels.
   *
   * @param values the values from position to limit, whole rows; the position stays unchanged
   * @param firstIndex the index of the first of them in their tensor, for errors
   * @param lastAxis the number of channels, at least 1
   * @throws dev.kvant.numerics.NonFiniteValueException if one is NaN or infinite
   * @throws IllegalArgumentException if channels are observed and the values are no whole rows of
   *     them, or earlier ones had another number of channels
   */
  public void observe(FloatBuffer values, long firstIndex, int lastAxis) {
    observeAll(values, firstIndex);
    if (channels != null) {
      channels.observe(values, lastAxis);
    }
  }

  /**
   * Observes values.
   *
   * @param values the values from position to limit; the position stays unchanged
   * @param firstIndex the index of the first of them in their tensor, for errors
   * @throws dev.kvant.numerics.NonFiniteValueException if one is NaN or infinite
   * @throws IllegalStateException if channels are observed, whose number is not given
   */
  public void observe(FloatBuffer values, long firstIndex) {
    if (channels != null) {
      throw new IllegalStateException("give the number of channels: they are observed");
    }
    observeAll(values, firstIndex);
  }

  private void observeAll(FloatBuffer values, long firstIndex) {
    if (histogram != null) {
      histogram.add(values, firstIndex);
      return;
    }
    ValueRange seen = Extremes.of(values, firstIndex);
    if (seen != null) {
      min = Math.min(min, seen.min());
      max = Math.max(max, seen.max());
    }
  }

  /**
   * Observes the finite values of a tensor whose last axis has that many channels, and counts the
   * others. Rows that hold any other value do not count for channels.
   *
   * @param values the values from position to limit, whole rows; the position stays unchanged
   * @param lastAxis the number of channels, at least 1
   * @throws IllegalArgumentException as {@link #observe(FloatBuffer, long, int)}
   */
  public void observeFinite(FloatBuffer values, int lastAxis) {
    FloatBuffer finite = finite(values, 1);
    ignored += values.remaining() - finite.remaining();
    observeAll(finite, 0);
    if (channels != null) {
      FloatBuffer rows = finite(values, lastAxis);
      if (rows.hasRemaining()) {
        channels.observe(rows, lastAxis);
      }
    }
  }

  /** The rows of that length in which all values are finite. */
  private static FloatBuffer finite(FloatBuffer values, int length) {
    FloatBuffer finite = FloatBuffer.allocate(values.remaining());
    for (int row = values.position(); row < values.limit(); row += length) {
      int end = Math.min(row + length, values.limit());
      boolean isFinite = true;
      for (int i = row; i < end; i++) {
        isFinite &= Float.isFinite(values.get(i));
      }
      for (int i = row; isFinite && i < end; i++) {
        finite.put(values.get(i));
      }
    }
    return finite.flip();
  }

  /**
   * Adds what another observer has seen.
   *
   * @param other the other one, which stays unchanged
   * @throws IllegalArgumentException if only one of them observes the distribution, or channels
   */
  public void merge(TensorObserver other) {
    if ((histogram == null) != (other.histogram == null)
        || (channels == null) != (other.channels == null)) {
      throw new IllegalArgumentException("other: is another kind of observer");
    }
    if (histogram != null && other.histogram != null) {
      histogram.merge(other.histogram);
    }
    if (channels != null && other.channels != null) {
      other.channels.statistics().ifPresent(channels::merge);
    }
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
    ignored += other.ignored;
  }

  /**
   * Returns what was seen.
   *
   * @return the statistics; empty if no finite value was observed
   */
  public Optional<TensorStatistics> statistics() {
    if (histogram != null) {
      return histogram.total() == 0
          ? Optional.empty()
          : Optional.of(
              new TensorStatistics(
                  histogram.range(),
                  Optional.of(histogram),
                  channels == null ? Optional.empty() : channels.statistics(),
                  ignored,
                  Optional.empty()));
    }
    return min > max
        ? Optional.empty()
        : Optional.of(TensorStatistics.of(new ValueRange(min, max)).with(ignored));
  }
}
