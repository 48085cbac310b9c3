package dev.kvant.gguf;

import dev.kvant.spi.ModelFormat;
import dev.kvant.tck.ModelFormatContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The GGUF format")
class GgufFormatContractTest extends ModelFormatContract {

  @Override
  protected ModelFormat newFormat() {
    return new GgufFormat();
  }

  @Override
  protected List<Path> samples() {
    return List.of(GgufFileTest.DECODER, GgufFileTest.TYPES);
  }
}
