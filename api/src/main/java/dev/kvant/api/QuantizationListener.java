package dev.kvant.api;

import java.util.List;

/**
 * Hears of progress, warnings and results while a quantizer works. Called on the thread that runs
 * the step, so it should return soon.
 *
 * @since 0.1.0
 */
public interface QuantizationListener {

  /** Hears nothing. */
  QuantizationListener NONE = new QuantizationListener() {};

  /** Tells several listeners, in their order; what one of them throws, the later ones miss. */
  static QuantizationListener all(List<? extends QuantizationListener> listeners) {
    List<QuantizationListener> copy = List.copyOf(listeners);
    return new QuantizationListener() {
      @Override
      public void onProgress(Progress progress) {
        copy.forEach(listener -> listener.onProgress(progress));
      }

      @Override
      public void onWarning(QuantizationWarning warning) {
        copy.forEach(listener -> listener.onWarning(warning));
      }

      @Override
      public void onFinished(FinishedStep step) {
        copy.forEach(listener -> listener.onFinished(step));
      }

      @Override
      public void onSaved(SavedModel model) {
        copy.forEach(listener -> listener.onSaved(model));
      }
    };
  }

  /** A long step has come further. */
  default void onProgress(Progress progress) {}

  /** Something goes otherwise than configured. */
  default void onWarning(QuantizationWarning warning) {}

  /** A step of a quantizer has ended, well or not. */
  default void onFinished(FinishedStep step) {}

  /** A quantizer has written a model; comes before the end of its step {@code save}. */
  default void onSaved(SavedModel model) {}
}
