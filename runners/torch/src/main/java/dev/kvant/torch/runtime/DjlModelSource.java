package dev.kvant.torch.runtime;

import dev.kvant.spi.ModelSource;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds the TorchScript file behind a DJL {@code Model} or {@code ZooModel} of the PyTorch engine.
 *
 * @since 0.1.0
 */
public final class DjlModelSource implements ModelSource {

  /** For {@link java.util.ServiceLoader}. */
  public DjlModelSource() {}

  @Override
  public Optional<Path> locate(Object model) {
    return DjlModel.of(model).map(DjlModel::file);
  }
}
