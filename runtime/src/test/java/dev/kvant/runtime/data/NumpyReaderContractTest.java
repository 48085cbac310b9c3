package dev.kvant.runtime.data;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.tck.DataReaderContract;
import dev.kvant.tck.SampleData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;

/** Files are those of {@code interop/golden/npy_cases.py}. */
@DisplayName("The data reader of NumPy's files")
class NumpyReaderContractTest extends DataReaderContract {

  @TempDir private Path files;

  @Override
  protected DataReaderProvider newProvider() {
    return new NumpyReaderProvider();
  }

  @Override
  protected List<SampleData> samples() {
    Map<String, Tensor> pairs =
        Map.of(
            "input",
            Tensor.ofFloats(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 5, 2),
            "label",
            Tensor.ofLongs(new long[] {0, 1, 2, 3, 4}, 5));
    return List.of(
        SampleData.of(copy("pairs.npz"), pairs),
        SampleData.of(copy("compressed.npz"), pairs),
        new SampleData(
            copy("float32.npy"),
            Map.of(),
            List.of(InputDescription.of("x", ElementType.FLOAT32, List.of(-1L, 3L))),
            Map.of("input", Tensor.ofFloats(new float[] {0, 1, 2, 3, 100, 200}, 2, 3)),
            Map.of()));
  }

  private Path copy(String resource) {
    Path file = files.resolve(resource);
    try (InputStream in = NumpyReaderContractTest.class.getResourceAsStream("/npy/" + resource)) {
      if (!Files.exists(file)) {
        Files.copy(Objects.requireNonNull(in), file);
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
