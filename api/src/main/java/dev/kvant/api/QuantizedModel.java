package dev.kvant.api;

/**
 * A quantized model that is not saved yet. Saving reads the source model, which must still be open.
 *
 * @since 0.1.0
 */
public interface QuantizedModel extends AutoCloseable {

  /** The report of its quantization. */
  QuantizationPlan plan();

  /** Releases its resources. A second call does nothing. */
  @Override
  void close();
}
