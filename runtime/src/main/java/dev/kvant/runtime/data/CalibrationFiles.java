package dev.kvant.runtime.data;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.TensorBatch;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calibration data on disk. Files are open only while somebody walks through them; a tensor called
 * {@code label} is left out.
 *
 * @since 0.1.0
 */
@Internal
public final class CalibrationFiles implements CalibrationDataset {

  private final DataReaders readers;
  private final CalibrationConfig config;
  private final List<InputDescription> inputs;
  private final Consumer<String> remarks;

  /**
   * The data that a configuration names.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param remarks told what a person should know of the data
   */
  public CalibrationFiles(
      DataReaders readers,
      CalibrationConfig config,
      List<InputDescription> inputs,
      Consumer<String> remarks) {
    this.readers = Objects.requireNonNull(readers, "readers");
    this.config = Objects.requireNonNull(config, "config");
    this.inputs = List.copyOf(inputs);
    this.remarks = Objects.requireNonNull(remarks, "remarks");
  }

  @Override
  public NonFiniteValues nonFinite() {
    return config.nonFinite();
  }

  /**
   * Opens the files from the start. They are closed at the end, or when reading fails. Who stops
   * before closes the iterator, which is {@link AutoCloseable}.
   *
   * @throws DataException if they cannot be read
   */
  @Override
  public Iterator<TensorBatch> iterator() {
    return new Batches(
        new InputBatches(
            config.data().path(),
            readers.open(config.data(), inputs, remarks),
            inputs,
            config.batchSize(),
            CalibrationConfig.DEFAULT_BATCH_SIZE,
            remarks));
  }

  private final class Batches implements Iterator<TensorBatch>, AutoCloseable {

    private final InputBatches batches;
    private final InputTypes types = new InputTypes(inputs, remarks);
    private long given;
    private boolean done;
    private @Nullable TensorBatch ahead;

    Batches(InputBatches batches) {
      this.batches = batches;
    }

    @Override
    public boolean hasNext() {
      if (ahead == null && !done) {
        boolean isRead = false;
        try {
          ahead = read();
          isRead = ahead != null;
        } finally {
          if (!isRead) {
            close();
          }
        }
      }
      return ahead != null;
    }

    @Override
    public TensorBatch next() {
      TensorBatch batch = hasNext() ? ahead : null;
      if (batch == null) {
        throw new NoSuchElementException();
      }
      ahead = null;
      return batch;
    }

    @Override
    public void close() {
      done = true;
      ahead = null;
      batches.close();
    }

    private @Nullable TensorBatch read() {
      Integer most = config.maxBatches();
      if (most != null && isEnough(most)) {
        return null;
      }
      Optional<InputBatch> next = batches.next();
      if (next.isEmpty()) {
        if (given == 0) {
          throw new DataException("%s has no samples".formatted(config.data().path()));
        }
        return null;
      }
      given++;
      return types.convert(next.get().inputs());
    }

    /** Batches as they are configured: a model that takes fewer samples at once gets more. */
    private boolean isEnough(int most) {
      Integer size = config.batchSize();
      OptionalInt fixed = batches.fixedSize();
      if (size == null || fixed.isEmpty()) {
        return given >= most;
      }
      return given >= most * Math.ceil((double) size / fixed.getAsInt());
    }
  }
}
