package dev.kvant.backend.torchao;

import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import java.nio.file.Path;

/** The model files that the tests read. */
final class TestModels {

  private static final Path MODELS = Path.of("../torch-format/src/test/resources/models");
  private static final Path DIGITS = Path.of("../examples/digits/models");

  private TestModels() {}

  static Path model(String name) {
    return MODELS.resolve(name);
  }

  static Path digits(String name) {
    return DIGITS.resolve(name);
  }

  static TorchModel open(Path path) {
    return (TorchModel) new TorchFormat().open(path);
  }
}
