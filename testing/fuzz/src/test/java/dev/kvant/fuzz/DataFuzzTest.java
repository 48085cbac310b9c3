package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.readers.images.ImageReaderProvider;
import dev.kvant.readers.text.TextReaderProvider;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.InputBatches;
import dev.kvant.runtime.data.NumpyReaderProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;

class DataFuzzTest {

  private static final DataReaders READERS =
      new DataReaders(
          List.of(new NumpyReaderProvider(), new ImageReaderProvider(), new TextReaderProvider()));

  private static final List<InputDescription> ANY = List.of(InputDescription.of("input"));

  private static final List<InputDescription> IMAGE =
      List.of(InputDescription.of("input", ElementType.FLOAT32, List.of(-1L, 3L, 8L, 8L)));

  private static final List<InputDescription> TOKENS =
      List.of(
          InputDescription.of("input_ids", ElementType.INT64, List.of(-1L, -1L)),
          InputDescription.of("attention_mask", ElementType.INT64, List.of(-1L, -1L)));

  /** More batches would be the same again. */
  private static final int MOST_BATCHES = 4;

  private static void read(Path path, List<InputDescription> inputs, List<String> settings) {
    try (InputBatches batches =
        InputBatches.open(
            READERS, Models.KVANT.evaluation(path, null, settings), inputs, remark -> {})) {
      for (int i = 0; i < MOST_BATCHES && batches.next().isPresent(); i++) {
        batches.count();
      }
    }
  }

  @FuzzTest
  void reads_npy(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> read(input.file("data.npy"), ANY, List.of()));
  }

  @FuzzTest
  void reads_npz(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> read(input.file("data.npz"), ANY, List.of()));
  }

  @FuzzTest
  void reads_images(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path folder = Files.createDirectories(Input.place("images"));
          Files.write(folder.resolve("image.png"), bytes);
          read(folder, IMAGE, List.of());
        });
  }

  @FuzzTest
  void reads_tokenizers(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path texts = Files.writeString(Input.place("lines.txt"), "a b\nb a a\n");
          Path tokenizer = input.file("broken-tokenizer.json");
          read(texts, TOKENS, List.of("tokenizer=" + tokenizer));
        });
  }

  private static void readTexts(Input input, String name) {
    input.mayOnlyBeRefused(
        () -> read(input.file(name), TOKENS, List.of("tokenizer=" + tokenizer())));
  }

  private static Path tokenizer() throws IOException {
    Path file = Input.place("tokenizer.json");
    if (!Files.exists(file)) {
      try (InputStream in =
          Objects.requireNonNull(DataFuzzTest.class.getResourceAsStream("tokenizer.json"))) {
        Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return file;
  }

  @FuzzTest
  void reads_csv(byte[] bytes) {
    readTexts(new Input(bytes), "texts.csv");
  }

  @FuzzTest
  void reads_json_lines(byte[] bytes) {
    readTexts(new Input(bytes), "texts.jsonl");
  }
}
