package dev.kvant.api;

import java.util.List;
import java.util.OptionalLong;

/**
 * The data that a model is calibrated with, batch by batch. Can be walked through more than once.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface CalibrationDataset extends Iterable<TensorBatch> {

  /** Number of batches, if known beforehand. */
  default OptionalLong batches() {
    return OptionalLong.empty();
  }

  /** A data set of batches that are in memory already. */
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
