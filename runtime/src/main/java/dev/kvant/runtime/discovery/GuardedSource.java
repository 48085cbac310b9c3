package dev.kvant.runtime.discovery;

import dev.kvant.spi.ModelSource;
import java.nio.file.Path;
import java.util.Optional;

/** A model source behind a guard. */
final class GuardedSource implements ModelSource {

  private final ModelSource source;
  private final ProviderCall call;

  GuardedSource(Provided<ModelSource> provided) {
    source = provided.instance();
    call = new ProviderCall("model source", provided);
  }

  @Override
  public Optional<Path> locate(Object model) {
    return call.ask("locate()", () -> source.locate(model));
  }
}
