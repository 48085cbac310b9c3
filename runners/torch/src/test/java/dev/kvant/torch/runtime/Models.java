package dev.kvant.torch.runtime;

import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

/** The models that the tests run. */
final class Models {

  private Models() {}

  /** A file beside this class. */
  static Path resource(String name) {
    URL url = Objects.requireNonNull(Models.class.getResource(name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  /** A digit classifier. */
  static Path digits(String name) {
    return Path.of("..", "..", "examples", "digits", "models", name);
  }

  /** A model file of torch-format's tests. */
  static Path torchFormat(String name) {
    return Path.of("..", "..", "formats", "torch", "src", "test", "resources", "models", name);
  }

  /** A float32 array beside this class. */
  static Tensor floats(String name, Long... shape) {
    try {
      return Tensor.of(
          ElementType.FLOAT32, List.of(shape), ByteBuffer.wrap(Files.readAllBytes(resource(name))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Tensor scans() {
    return floats("scans.bin", 16L, 1L, 8L, 8L);
  }

  static Tensor tokens() {
    return Tensor.ofLongs(LongStream.range(0, 24).map(i -> i * 7 % 50).toArray(), 2, 12);
  }

  static ModelRunner open(Path model) {
    return new TorchScriptRunnerProvider().open(model, Device.CPU);
  }

  /** What a model answers to one batch. */
  static Map<String, Tensor> run(Path model, TensorBatch batch) {
    try (ModelRunner runner = open(model)) {
      return runner.run(batch);
    }
  }

  /** What a model of one input and one output answers. */
  static Tensor answer(Path model, Tensor input) {
    return output(run(model, TensorBatch.of(input)), "output");
  }

  static Tensor output(Map<String, Tensor> outputs, String name) {
    return Objects.requireNonNull(outputs.get(name), name);
  }
}
