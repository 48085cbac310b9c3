package dev.kvant.gguf;

import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens GGUF files, as llama.cpp reads them, as models.
 *
 * @since 0.1.0
 */
public final class GgufFormat implements ModelFormat {

  /** The format's id. */
  public static final String ID = "gguf";

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public GgufFormat() {}

  @Override
  public List<String> ids() {
    return List.of(ID);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (InputStream content = RegularFile.stream(path)) {
      byte[] start = content.readNBytes(Integer.BYTES);
      return start.length == Integer.BYTES
          && ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt() == GgufFile.MAGIC;
    }
  }

  @Override
  public QuantizableModel open(Path path) {
    return new GgufModel(GgufFile.open(path));
  }
}
