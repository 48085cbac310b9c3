package dev.kvant.readers.text;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads lines of text, CSV, TSV and JSON lines, and makes token ids of them by a Hugging Face
 * {@code tokenizer.json}.
 *
 * @since 0.1.0
 */
public final class TextReaderProvider implements DataReaderProvider {

  /** For {@link java.util.ServiceLoader}. */
  public TextReaderProvider() {}

  @Override
  public DataReaderDescriptor descriptor() {
    return new DataReaderDescriptor(
        "text",
        "Reads texts from .txt, .csv, .tsv and .jsonl files, tokenized by a tokenizer.json.",
        TextSettings.OPTIONS);
  }

  @Override
  public boolean recognizes(Path path) {
    return Files.isRegularFile(path) && TextFormat.of(path).isPresent();
  }

  @Override
  public List<ConfigurationProblem> validate(Options options) {
    return TextSettings.problems(options);
  }

  @Override
  public DataReader open(DataRequest request) throws IOException {
    TextSettings settings = TextSettings.of(request.options());
    ModelInputs inputs = ModelInputs.of(request.inputs());
    TextFormat format = TextFormat.of(request.path()).orElse(TextFormat.LINES);
    TextRows rows = format.open(request.path(), settings);
    try {
      return new TextSamples(
          rows, Tokens.load(settings, inputs.fixedLength()), inputs, request.remarks());
    } catch (IOException | RuntimeException e) {
      rows.close();
      throw e;
    }
  }
}
