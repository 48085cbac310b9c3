package dev.kvant.readers.text;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.tck.DataReaderContract;
import dev.kvant.tck.SampleData;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;

/** Ids are those of {@code interop/golden/make_text_golden.py}. */
@DisplayName("The data reader of texts")
class TextReaderContractTest extends DataReaderContract {

  private static final long[] IDS = {
    1, 4, 5, 6, 7, 9, 10, 4, 11, 2,
    1, 5, 7, 8, 2, 3, 3, 3, 3, 3,
    1, 14, 12, 23, 2, 3, 3, 3, 3, 3,
    1, 4, 0, 0, 20, 22, 15, 4, 16, 2
  };

  @Override
  protected DataReaderProvider newProvider() {
    return new TextReaderProvider();
  }

  @Override
  protected List<SampleData> samples() {
    return List.of(
        new SampleData(
            resource("texts.txt"),
            Map.of(
                "tokenizer",
                resource("tokenizer.json").toString(),
                "max_length",
                10,
                "padding",
                "max_length"),
            List.of(InputDescription.of("input_ids", ElementType.INT64, List.of(-1L, -1L))),
            Map.of("input_ids", Tensor.ofLongs(IDS, 4, 10)),
            Map.of()));
  }

  private static Path resource(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(TextReaderContractTest.class.getResource("/text/" + name))
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
