package dev.kvant.torch;

import dev.kvant.spi.ModelFormat;
import dev.kvant.tck.ModelFormatContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The format of torch models")
class TorchFormatContractTest extends ModelFormatContract {

  private static final Path MODELS = Path.of("src/test/resources/models");

  @Override
  protected ModelFormat newFormat() {
    return new TorchFormat();
  }

  @Override
  protected List<Path> samples() {
    return List.of(
        MODELS.resolve("mixed.pt"),
        MODELS.resolve("mixed_traced.pt"),
        MODELS.resolve("mixed.pt2"),
        MODELS.resolve("mixed.pth"),
        MODELS.resolve("mixed.safetensors"),
        MODELS.resolve("sharded"));
  }
}
