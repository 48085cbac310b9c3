package dev.kvant.runtime;

import dev.kvant.api.FinishedStep;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import java.util.HashSet;
import java.util.Set;

/**
 * Forwards events, and remembers which warnings it forwarded: a backend may tell a warning as soon
 * as it knows it, or leave it to its report.
 */
final class ToldWarnings implements QuantizationListener {

  private final QuantizationListener listener;
  private final Set<QuantizationWarning> told = new HashSet<>();

  ToldWarnings(QuantizationListener listener) {
    this.listener = listener;
  }

  /** Forgets what was told: another model begins. */
  void forget() {
    told.clear();
  }

  /** Tells a warning, unless it was told of this model already. */
  void tell(QuantizationWarning warning) {
    if (!told.contains(warning)) {
      onWarning(warning);
    }
  }

  @Override
  public void onWarning(QuantizationWarning warning) {
    told.add(warning);
    listener.onWarning(warning);
  }

  @Override
  public void onProgress(Progress progress) {
    listener.onProgress(progress);
  }

  @Override
  public void onFinished(FinishedStep step) {
    listener.onFinished(step);
  }

  @Override
  public void onSaved(SavedModel model) {
    listener.onSaved(model);
  }
}
