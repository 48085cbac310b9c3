package dev.kvant.tck;

import dev.kvant.api.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Data for {@link ToyReader}. */
final class ToyData {

  private static final Path FILE = Path.of("target", "toy", "five.toydata");

  private ToyData() {}

  static Path file() {
    try {
      if (!Files.exists(FILE)) {
        Files.createDirectories(FILE.getParent());
        Files.writeString(FILE, "1,2;\n3,4;\n5,6;\n7,8;\n9,10;\n");
      }
      return FILE;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<SampleData> samples() {
    return List.of(
        new SampleData(
            file(),
            Map.of("scale", 7),
            List.of(),
            Map.of("x", Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5, 2)),
            Map.of("scale", Tensor.ofLongs(new long[] {7}))));
  }
}
