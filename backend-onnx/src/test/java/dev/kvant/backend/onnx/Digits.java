package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.runtime.OnnxRunnerProvider;
import dev.kvant.spi.ModelRunner;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The trained digit classifiers and their data. */
final class Digits {

  private static final Path FOLDER = Path.of("..", "examples", "digits");
  static final Path RESNET = FOLDER.resolve("models/resnet.onnx");
  static final Path TRANSFORMER = FOLDER.resolve("models/transformer.onnx");
  private static final Path CALIBRATION = FOLDER.resolve("data/calibration.npz");
  private static final Path TEST = FOLDER.resolve("data/test.npz");

  private Digits() {}

  /** The scans to calibrate with, in batches of that size. */
  static CalibrationDataset calibration(int batchSize) {
    Tensor scans = Npz.read(CALIBRATION, "input");
    List<TensorBatch> batches = new ArrayList<>();
    long count = scans.shape().get(0);
    for (long from = 0; from < count; from += batchSize) {
      batches.add(TensorBatch.of(rows(scans, from, Math.min(batchSize, count - from))));
    }
    return CalibrationDataset.of(batches);
  }

  private static Tensor rows(Tensor tensor, long from, long count) {
    List<Long> shape = new ArrayList<>(tensor.shape());
    long rowBytes = tensor.elements() / shape.get(0) * tensor.elementType().bytes();
    shape.set(0, count);
    ByteBuffer data = tensor.data().slice((int) (from * rowBytes), (int) (count * rowBytes));
    return Tensor.of(ElementType.FLOAT32, shape, data);
  }

  /** How many of the 600 test scans a model classifies rightly. */
  static int correct(Path model) {
    long[] labels = Npz.read(TEST, "label").toLongs();
    float[] logits;
    try (ModelRunner runner = new OnnxRunnerProvider().open(model, Device.CPU)) {
      Tensor output = runner.run(TensorBatch.of(Npz.read(TEST, "input"))).get("logits");
      logits = Objects.requireNonNull(output, "logits").toFloats();
    }
    int classes = logits.length / labels.length;
    int correct = 0;
    for (int row = 0; row < labels.length; row++) {
      int best = 0;
      for (int i = 1; i < classes; i++) {
        if (logits[row * classes + i] > logits[row * classes + best]) {
          best = i;
        }
      }
      if (best == labels[row]) {
        correct++;
      }
    }
    return correct;
  }
}
