package dev.kvant.onnx;

import java.nio.file.Path;

/** The model files that the tests read; {@code interop/models/make_onnx.py} made the small ones. */
final class Models {

  static final Path DIGITS = Path.of("..", "..", "examples", "digits");
  static final Path RESNET = DIGITS.resolve("models/resnet.onnx");
  static final Path TRANSFORMER = DIGITS.resolve("models/transformer.onnx");

  private Models() {}

  static Path model(String name) {
    return Path.of("src", "test", "resources", "models", name + ".onnx");
  }
}
