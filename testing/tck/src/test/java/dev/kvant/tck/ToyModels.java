package dev.kvant.tck;

import dev.kvant.api.QuantizableModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The toy models to try providers on. */
final class ToyModels {

  private ToyModels() {}

  static Path good() {
    return write(
        "good.toy",
        "module encoder Container FLOAT32 1.0",
        "module encoder.fc1 Linear FLOAT32 0.5 -1.0 0.25 0.125",
        "module encoder.fc2 Linear FLOAT32 2.0 -3.0 4.0 0.5",
        "module encoder.conv Conv2d FLOAT32 1.5 -1.0 4.0 0.25",
        "module norm LayerNorm FLOAT32 1.0 1.0",
        "module steps Counter INT64 7");
  }

  static Path nonFinite() {
    return write(
        "bad.toy", "module fc1 Linear FLOAT32 0.5 -1.0", "module fc2 Linear FLOAT32 2.0 NaN");
  }

  /** The weight of a module in an artifact of the toy backend. */
  static Optional<float[]> restored(QuantizableModel artifact, String module) {
    return ((ToyModel) artifact)
        .scale(module)
        .map(
            scale ->
                StoredValues.dequantized(
                    StoredValues.floats(BackendKit.tensor(artifact, module, "weight")),
                    0,
                    new float[] {scale},
                    List.of(),
                    0));
  }

  static List<SampleModel> samples() {
    return List.of(new SampleModel("toy", good(), new ToyFormat()));
  }

  static Optional<SampleModel> nonFiniteSample() {
    return Optional.of(new SampleModel("toy with NaN", nonFinite(), new ToyFormat()));
  }

  private static Path write(String name, String... modules) {
    try {
      Path folder = Files.createDirectories(Path.of("target", "toy-models"));
      return Files.writeString(
          folder.resolve(name), ToyFormat.MAGIC + String.join("\n", modules) + "\nend");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
