package dev.kvant.spi;

import dev.kvant.api.Experimental;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.List;
import java.util.Map;

/**
 * A loaded model that answers. Used by one thread at a time.
 *
 * @since 0.1.0
 */
@Experimental
public interface ModelRunner extends AutoCloseable {

  /** The inputs, in order, each described as far as the model declares it. */
  List<InputDescription> inputs();

  /**
   * Runs one batch.
   *
   * @return the outputs by name, in order; outputs without names are called {@code output}, {@code
   *     output1} and so on
   * @throws dev.kvant.api.CalibrationException if the batch does not fit the model's inputs
   */
  Map<String, Tensor> run(TensorBatch batch);

  /** Unloads the model. A second call does nothing. */
  @Override
  void close();
}
