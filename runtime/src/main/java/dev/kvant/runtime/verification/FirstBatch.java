package dev.kvant.runtime.verification;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Internal;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.TensorBatch;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Data of which the first batch stays known, so that it is not read again for verification, and of
 * which nothing stays open.
 *
 * @since 0.1.0
 */
@Internal
public final class FirstBatch implements CalibrationDataset, AutoCloseable {

  private final CalibrationDataset data;
  private final List<AutoCloseable> open = new ArrayList<>();
  private @Nullable TensorBatch first;

  /** Takes the place of the data. */
  public FirstBatch(CalibrationDataset data) {
    this.data = data;
  }

  @Override
  public OptionalLong batches() {
    return data.batches();
  }

  @Override
  public NonFiniteValues nonFinite() {
    return data.nonFinite();
  }

  @Override
  public Iterator<TensorBatch> iterator() {
    Iterator<TensorBatch> batches = data.iterator();
    if (batches instanceof AutoCloseable closeable) {
      open.add(closeable);
    }
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return batches.hasNext();
      }

      @Override
      public TensorBatch next() {
        TensorBatch next = batches.next();
        if (first == null) {
          first = next;
        }
        return next;
      }
    };
  }

  /**
   * The first batch; empty if there is none. Nothing stays open.
   *
   * @throws DataException if the data cannot be read or closed
   */
  public Optional<TensorBatch> batch() {
    if (first == null) {
      try (this) {
        Iterator<TensorBatch> batches = iterator();
        if (batches.hasNext()) {
          batches.next();
        }
      }
    }
    return Optional.ofNullable(first);
  }

  /**
   * Closes the iterators that can be closed and were not walked through to their end. The data can
   * be iterated again.
   *
   * @throws DataException if one cannot be closed
   */
  @Override
  public void close() {
    List<AutoCloseable> closeables = List.copyOf(open);
    open.clear();
    for (AutoCloseable closeable : closeables) {
      try {
        closeable.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new DataException("the calibration data cannot be closed: " + e.getMessage(), e);
      }
    }
  }
}
