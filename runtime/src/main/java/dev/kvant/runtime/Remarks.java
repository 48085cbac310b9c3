package dev.kvant.runtime;

import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Passes what a person should know of data on to a listener, each sentence once. */
final class Remarks implements Consumer<String> {

  private final QuantizationListener listener;
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  Remarks(QuantizationListener listener) {
    this.listener = listener;
  }

  @Override
  public void accept(String remark) {
    if (told.add(remark)) {
      listener.onWarning(
          new QuantizationWarning(QuantizationWarning.Kind.DATA, remark, null, List.of()));
    }
  }
}
