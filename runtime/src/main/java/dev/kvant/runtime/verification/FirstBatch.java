package dev.kvant.runtime.verification;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Internal;
import dev.kvant.api.TensorBatch;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Data of which the first batch stays known, so that it is not read again for verification.
 *
 * @since 0.1.0
 */
@Internal
public final class FirstBatch implements CalibrationDataset {

  private final CalibrationDataset data;
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
  public Iterator<TensorBatch> iterator() {
    Iterator<TensorBatch> batches = data.iterator();
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

  /** The first batch; empty if there is none. */
  public Optional<TensorBatch> batch() {
    if (first == null) {
      Iterator<TensorBatch> batches = iterator();
      if (batches.hasNext()) {
        batches.next();
      }
    }
    return Optional.ofNullable(first);
  }
}
