package dev.kvant.api;

import java.util.List;

/**
 * Receives progress, warnings and results of a quantizer. It is called on the thread that runs the
 * step, so it should return soon.
 *
 * @since 0.1.0
 */
public interface QuantizationListener {

  /** A listener that ignores all events. */
  QuantizationListener NONE = new QuantizationListener() {};

  /**
   * A listener that forwards events to several listeners, in order. If one of them throws, the
   * later ones miss the event.
   */
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

  /** A long step has progressed. */
  default void onProgress(Progress progress) {}

  /** A result differs from the configuration. */
  default void onWarning(QuantizationWarning warning) {}

  /** A step of a quantizer has ended, well or not. */
  default void onFinished(FinishedStep step) {}

  /** A quantizer has written a model. This event precedes the end of its step {@code save}. */
  default void onSaved(SavedModel model) {}
}
