package dev.kvant.api;

/**
 * Hears of progress and warnings while a quantizer works. Called on the thread that runs the step,
 * so it should return soon.
 *
 * @since 0.1.0
 */
public interface QuantizationListener {

  /** Hears nothing. */
  QuantizationListener NONE = new QuantizationListener() {};

  /** A long step has come further. */
  default void onProgress(Progress progress) {}

  /** Something goes otherwise than configured. */
  default void onWarning(QuantizationWarning warning) {}
}
