package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.runtime.OnnxRunnerProvider;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/** The small graphs that the tests read, made by {@code interop/models/make_onnx.py}. */
final class Graphs {

  private Graphs() {}

  static Path model(String name) {
    return Path.of("..", "formats", "onnx", "src", "test", "resources", "models", name + ".onnx");
  }

  /** Random numbers as the input {@code x}. */
  static TensorBatch batch(long seed, long... shape) {
    int elements = 1;
    for (long dimension : shape) {
      elements *= (int) dimension;
    }
    Random random = new Random(seed);
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new TensorBatch(Map.of("x", Tensor.ofFloats(values, shape)));
  }

  /** Rows of 8 whose sum has the sign of the shift. */
  static TensorBatch shifted(float by) {
    float[] values = new float[32 * 8];
    for (int i = 0; i < values.length; i++) {
      values[i] = by + (float) Math.sin(i);
    }
    return new TensorBatch(Map.of("x", Tensor.ofFloats(values, 32, 8)));
  }

  static CalibrationDataset data(TensorBatch... batches) {
    return CalibrationDataset.of(List.of(batches));
  }

  /** How far the output {@code y} of a model is from that of another, relative to its length. */
  static double distance(Path model, Path other, TensorBatch batch) {
    float[] some = run(model, batch);
    float[] others = run(other, batch);
    double difference = 0;
    double length = 0;
    for (int i = 0; i < some.length; i++) {
      difference += Math.pow(some[i] - (double) others[i], 2);
      length += Math.pow(others[i], 2);
    }
    return Math.sqrt(difference / length);
  }

  private static float[] run(Path model, TensorBatch batch) {
    try (ModelRunner runner = new OnnxRunnerProvider().open(model, Device.CPU)) {
      return Objects.requireNonNull(runner.run(batch).get("y"), "y").toFloats();
    }
  }

  /** All nodes of that operator, those of inner graphs too. */
  static List<Node> nodes(Path file, String operator) {
    try (OnnxFile model = OnnxFile.open(file)) {
      return model.load().graph().all().stream()
          .map(Graph::nodes)
          .flatMap(List::stream)
          .filter(node -> node.opType().equals(operator))
          .toList();
    }
  }

  static long opset(Path file) {
    try (OnnxFile model = OnnxFile.open(file)) {
      return model.load().opset("").orElseThrow();
    }
  }
}
