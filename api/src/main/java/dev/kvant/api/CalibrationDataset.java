package dev.kvant.api;

import java.util.List;
import java.util.OptionalLong;

/**
 * The calibration data of a model, batch by batch. It can be iterated more than once. An iterator
 * that is {@link AutoCloseable} is closed when its batches are no longer needed.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface CalibrationDataset extends Iterable<TensorBatch> {

  /** The number of batches, if it is known. */
  default OptionalLong batches() {
    return OptionalLong.empty();
  }

  /** What is done with values that are NaN or infinite, in this data and behind it. */
  default NonFiniteValues nonFinite() {
    return NonFiniteValues.REFUSE;
  }

  /** A data set of batches in memory. */
  static CalibrationDataset of(List<TensorBatch> batches) {
    List<TensorBatch> copy = List.copyOf(batches);
    return new CalibrationDataset() {
      @Override
      public java.util.Iterator<TensorBatch> iterator() {
        return copy.iterator();
      }

      @Override
      public OptionalLong batches() {
        return OptionalLong.of(copy.size());
      }
    };
  }
}
