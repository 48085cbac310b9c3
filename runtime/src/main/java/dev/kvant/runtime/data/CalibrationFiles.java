package dev.kvant.runtime.data;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Calibration data on disk. Files are open only while somebody walks through them; an array called
 * {@code label} is left out.
 *
 * @since 0.1.0
 */
public final class CalibrationFiles implements CalibrationDataset {

  private final CalibrationConfig config;

  /** The data that a configuration names. */
  public CalibrationFiles(CalibrationConfig config) {
    this.config = Objects.requireNonNull(config, "config");
  }

  /**
   * Opens the files from the start. They are closed at the end, or when reading fails.
   *
   * @throws DataException if they cannot be read
   */
  @Override
  public Iterator<TensorBatch> iterator() {
    return new Batches(Samples.open(config.path(), config.images()));
  }

  private final class Batches implements Iterator<TensorBatch> {

    private final Samples samples;
    private int given;
    private boolean done;
    private @Nullable TensorBatch ahead;

    Batches(Samples samples) {
      this.samples = samples;
    }

    @Override
    public boolean hasNext() {
      if (ahead == null && !done) {
        ahead = read();
        if (ahead == null) {
          done = true;
          samples.close();
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
      given++;
      return batch;
    }

    private @Nullable TensorBatch read() {
      Integer most = config.maxBatches();
      if (most != null && given >= most) {
        return null;
      }
      Map<String, Tensor> tensors = readSamples();
      if (tensors.isEmpty()) {
        return null;
      }
      Map<String, Tensor> inputs = new LinkedHashMap<>(tensors);
      inputs.remove(Samples.LABEL);
      if (inputs.isEmpty()) {
        throw failed("has no array but 'label'");
      }
      return new TensorBatch(inputs);
    }

    private Map<String, Tensor> readSamples() {
      Map<String, Tensor> tensors;
      try {
        tensors = samples.next(config.batchSize());
      } catch (DataException e) {
        done = true;
        samples.close();
        throw e;
      }
      if (tensors.isEmpty() && given == 0) {
        throw failed("has no samples");
      }
      return tensors;
    }

    private DataException failed(String what) {
      done = true;
      samples.close();
      return new DataException("%s %s".formatted(config.path(), what));
    }
  }
}
