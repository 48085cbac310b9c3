package dev.kvant.onnx;

import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.graph.OnnxSignature;
import dev.kvant.spi.ModelFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens ONNX files as models.
 *
 * @since 0.1.0
 */
public final class OnnxFormat implements ModelFormat {

  /** The format's id. */
  public static final String ID = "onnx";

  /** For {@link java.util.ServiceLoader}. */
  public OnnxFormat() {}

  @Override
  public List<String> ids() {
    return List.of(ID);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    return Files.isRegularFile(path) && OnnxSignature.isOn(path);
  }

  @Override
  public QuantizableModel open(Path path) {
    return OnnxModelFile.open(path);
  }
}
