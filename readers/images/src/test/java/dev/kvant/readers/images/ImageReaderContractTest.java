package dev.kvant.readers.images;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.tck.DataReaderContract;
import dev.kvant.tck.SampleData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The data reader of images")
class ImageReaderContractTest extends DataReaderContract {

  @TempDir private Path images;

  @Override
  protected DataReaderProvider newProvider() {
    return new ImageReaderProvider();
  }

  /** Two classes, whose pixels are those of Pillow. */
  @Override
  protected List<SampleData> samples() {
    List<String> names = List.of("rgb.png", "lossy.webp", "rgb.jpg");
    ByteBuffer pixels = ByteBuffer.allocate(3 * 17 * 23 * 3);
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      pixels.put(Golden.bytes(Golden.values().getAsJsonObject("decoded").get(name)));
      Path folder = images.resolve(i == 0 ? "a" : "b");
      try {
        Golden.copy(name, folder.resolve(i + name.substring(name.lastIndexOf('.'))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return List.of(
        new SampleData(
            images,
            Map.of(),
            List.of(InputDescription.of("x", ElementType.UINT8, List.of(-1L, 17L, 23L, 3L))),
            Map.of(
                "input",
                Tensor.of(ElementType.UINT8, List.of(3L, 17L, 23L, 3L), pixels.flip()),
                "label",
                Tensor.ofLongs(new long[] {0, 1, 1}, 3)),
            Map.of()));
  }
}
