package dev.kvant.runtime;

import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A format whose files begin with its id. */
record FakeFormat(String id) implements ModelFormat {

  @Override
  public List<String> ids() {
    return List.of(id);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    return Files.isRegularFile(path) && Files.readString(path).startsWith(id);
  }

  @Override
  public QuantizableModel open(Path path) {
    return new FakeModel().format(id).with("fc", "Linear");
  }
}
