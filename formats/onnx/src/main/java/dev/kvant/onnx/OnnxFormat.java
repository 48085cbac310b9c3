package dev.kvant.onnx;

import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.graph.OnnxSignature;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RecognizedModel;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
    Optional<RecognizedModel> found = probe(path);
    found.ifPresent(RecognizedModel::close);
    return found.isPresent();
  }

  @Override
  public Optional<RecognizedModel> probe(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return Optional.empty();
    }
    FileChannel channel = RegularFile.channel(path);
    boolean recognized = false;
    try {
      recognized = OnnxSignature.isOn(channel);
    } finally {
      if (!recognized) {
        channel.close();
      }
    }
    return recognized ? Optional.of(new OpenFile(path, channel)) : Optional.empty();
  }

  /** A file with the signature, which is not opened once more. */
  private record OpenFile(Path path, FileChannel channel) implements RecognizedModel {

    @Override
    public QuantizableModel open() {
      return OnnxModelFile.open(path, channel);
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException("cannot close " + path, e);
      }
    }
  }

  @Override
  public QuantizableModel open(Path path) {
    return OnnxModelFile.open(path);
  }
}
