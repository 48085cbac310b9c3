package dev.kvant.backend.torchao;

import dev.kvant.api.Device;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;

/** What libtorch computes with an archive. */
final class Outputs {

  private Outputs() {}

  /** The first output, for an input that only depends on the kind of model. */
  static float[] of(Path archive, String model) {
    return of(archive, model, 4);
  }

  /** The first output for some rows of input. */
  static float[] of(Path archive, String model, int rows) {
    return of(archive, model.matches("(mixed|tied).*") ? tokens(rows) : scans(rows));
  }

  /** The first output for that input. */
  static float[] of(Path archive, Tensor input) {
    var provider = new TorchScriptRunnerProvider();
    Assumptions.assumeTrue(
        provider.availability() instanceof Availability.Available, "libtorch is not there");
    try (ModelRunner runner = provider.open(archive, Device.CPU)) {
      return runner.run(TensorBatch.of(input)).values().iterator().next().toFloats();
    }
  }

  private static Tensor tokens(int rows) {
    return Tensor.ofLongs(new Random(1).longs(rows * 12L, 0, 50).toArray(), rows, 12);
  }

  private static Tensor scans(int rows) {
    var random = new Random(2);
    float[] values = new float[rows * 64];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    return Tensor.ofFloats(values, rows, 1, 8, 8);
  }

  /** The largest difference, in parts of the largest magnitude of the expected values. */
  static double difference(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new AssertionError(actual.length + " values instead of " + expected.length);
    }
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      // Not Math.max, in which NaN would win against the comparison that is meant to fail by it.
      difference =
          Double.isNaN(actual[i])
              ? Double.NaN
              : Math.max(difference, Math.abs(actual[i] - expected[i]));
    }
    return difference / largest;
  }
}
