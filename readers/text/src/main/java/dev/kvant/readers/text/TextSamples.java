package dev.kvant.readers.text;

import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Texts as samples: one row of tokens each. */
final class TextSamples implements DataReader {

  private final TextRows rows;
  private final Tokens tokens;
  private final ModelInputs inputs;
  private final Consumer<String> remarks;
  private long read;
  private boolean ended;
  private boolean closed;
  private boolean remarked;

  TextSamples(TextRows rows, Tokens tokens, ModelInputs inputs, Consumer<String> remarks) {
    this.rows = rows;
    this.tokens = tokens;
    this.inputs = inputs;
    this.remarks = remarks;
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.empty();
  }

  @Override
  public Optional<SampleBlock> next(int most) throws IOException {
    List<TextRow> texts = new ArrayList<>();
    while (texts.size() < most && !ended) {
      rows.next().ifPresentOrElse(texts::add, () -> ended = true);
    }
    read += texts.size();
    Optional<SampleBlock> block = texts.isEmpty() ? Optional.empty() : Optional.of(block(texts));
    if (ended && !remarked && tokens.cut() > 0) {
      remarked = true;
      remarks.accept(
          "%d of %d texts have more than %d tokens and are cut"
              .formatted(tokens.cut(), read, tokens.maxLength()));
    }
    return block;
  }

  private SampleBlock block(List<TextRow> texts) {
    Map<String, Tensor> tensors = inputs.tensors(tokens.of(texts, rows.isPaired()));
    if (rows.isLabelled()) {
      tensors.put(
          LABEL, Tensor.ofLongs(texts.stream().mapToLong(TextRow::label).toArray(), texts.size()));
    }
    return SampleBlock.of(tensors);
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    tokens.close();
    rows.close();
  }
}
