package dev.kvant.torch.runtime;

import dev.kvant.api.Device;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.torch.ScriptModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Runs TorchScript archives in libtorch, which the first model loads.
 *
 * <p>Nothing is ever downloaded: libtorch comes from the class path, or from the folder that {@code
 * PYTORCH_LIBRARY_PATH} names. The number of its threads stays unchanged.
 *
 * @since 0.1.0
 */
public final class TorchScriptRunnerProvider implements ModelRunnerProvider {

  /** For {@link java.util.ServiceLoader}. */
  public TorchScriptRunnerProvider() {}

  @Override
  public List<String> formats() {
    return List.of(ScriptModel.FORMAT);
  }

  @Override
  public Availability availability() {
    Optional<String> missing = NativeLibraries.ofThisProcess().missing();
    return missing.isPresent() ? Availability.unavailable(missing.get()) : Availability.available();
  }

  @Override
  public ModelRunner open(Path model, Device device) {
    return TorchScriptRunner.open(model, device);
  }

  @Override
  public ModelRunner open(QuantizableModel model, Device device) {
    return model instanceof ScriptModel script
        ? TorchScriptRunner.openCopy(script.source(), script, device)
        : open(model.source(), device);
  }
}
