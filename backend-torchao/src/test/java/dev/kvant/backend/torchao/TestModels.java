package dev.kvant.backend.torchao;

import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;

/** The model files that the tests read. */
final class TestModels {

  private static final Path MODELS = Path.of("../formats/torch/src/test/resources/models");
  private static final Path DIGITS = Path.of("../examples/digits/models");

  private TestModels() {}

  static Path model(String name) {
    return MODELS.resolve(name);
  }

  static Path digits(String name) {
    return DIGITS.resolve(name);
  }

  /** The tensor of that name, which must be there. */
  static StoredTensor tensor(TorchModel model, String name) {
    return Objects.requireNonNull(model.tensors().get(name), name);
  }

  /** All bytes of a tensor, in row-major order. */
  static byte[] bytes(StoredTensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes());
    tensor.read(0, bytes);
    return bytes.array();
  }

  static TorchModel open(Path path) {
    return new TorchFormat().open(path);
  }
}
