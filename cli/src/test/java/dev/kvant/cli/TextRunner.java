package dev.kvant.cli;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Runs text models: what comes in goes out again, rounded to whole numbers once something in the
 * model is int8, and as NaN where a class is called Broken.
 */
public final class TextRunner implements ModelRunnerProvider {

  @Override
  public List<String> formats() {
    return List.of(TextFormat.ID);
  }

  @Override
  public ModelRunner open(Path model, Device device) {
    if (!device.equals(Device.CPU)) {
      throw new UnavailableException("there is no device " + device);
    }
    try {
      boolean rounds = Files.readString(model).contains(":int8:");
      boolean breaks = Files.readString(model).contains(" Broken ");
      return new ModelRunner() {
        @Override
        public List<InputDescription> inputs() {
          return List.of(InputDescription.of("pixels"));
        }

        @Override
        public Map<String, Tensor> run(TensorBatch batch) {
          Tensor input =
              batch.inputs().getOrDefault(TensorBatch.SOLE_INPUT, batch.inputs().get("pixels"));
          if (input == null) {
            throw new CalibrationException("there is no array 'input'");
          }
          float[] values = input.toFloats();
          for (int i = 0; rounds && i < values.length; i++) {
            values[i] = Math.round(values[i]);
          }
          if (breaks) {
            Arrays.fill(values, Float.NaN);
          }
          return Map.of(
              "output",
              Tensor.ofFloats(values, input.shape().stream().mapToLong(Long::longValue).toArray()));
        }

        @Override
        public void close() {}
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
