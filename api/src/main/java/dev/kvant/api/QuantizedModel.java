package dev.kvant.api;

/**
 * A model that was quantized and not yet saved. Reads the source model while it is saved, so that
 * one must still be open.
 *
 * @since 0.1.0
 */
public interface QuantizedModel extends AutoCloseable {

  /** What was done to it. */
  QuantizationPlan plan();

  /** Releases what it holds. A second call does nothing. */
  @Override
  void close();
}
