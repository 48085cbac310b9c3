package dev.kvant.backend.modelopt;

import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import java.nio.file.Path;

/** The model files that the tests read. */
final class TestModels {

  private static final Path MODELS = Path.of("../formats/torch/src/test/resources/models");
  private static final Path DIGITS = Path.of("../examples/digits/models");
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  private TestModels() {}

  /** A model of one of each kind of module, or one of the others beside it. */
  static Path model(String name) {
    return MODELS.resolve(name);
  }

  static Path digits(String name) {
    return DIGITS.resolve(name);
  }

  /** What ModelOpt makes, and the models that it makes it of. */
  static Path golden(String name) {
    return GOLDEN.resolve(name);
  }

  static ScriptModel script(Path path) {
    return (ScriptModel) open(path);
  }

  static TorchModel open(Path path) {
    return new TorchFormat().open(path);
  }
}
