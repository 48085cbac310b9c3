package dev.kvant.onnx.runtime;

import dev.kvant.api.Device;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Runs ONNX models in ONNX Runtime, whose native library is loaded by the first model.
 *
 * @since 0.1.0
 */
public final class OnnxRunnerProvider implements ModelRunnerProvider {

  /** For {@link java.util.ServiceLoader}. */
  public OnnxRunnerProvider() {}

  @Override
  public List<String> formats() {
    return List.of(OnnxFormat.ID);
  }

  @Override
  public Availability availability() {
    return RuntimeVersion.availability(OnnxRunnerProvider.class.getClassLoader());
  }

  @Override
  public ModelRunner open(Path model, Device device) {
    return OnnxRunner.open(model, device);
  }

  @Override
  public Optional<ModelRunner> openUnoptimized(Path model, Device device) {
    return Optional.of(OnnxRunner.openUnoptimized(model, device));
  }
}
