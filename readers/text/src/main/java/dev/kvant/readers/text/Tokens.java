package dev.kvant.readers.text;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.PairList;
import dev.kvant.api.DataException;
import dev.kvant.api.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Makes tokens of texts, by the tokenizers library of Hugging Face. */
final class Tokens implements AutoCloseable {

  private static final int DEFAULT_MAX_LENGTH = 512;

  /**
   * The settings that keep DJL off the network while it loads its native library: otherwise it
   * would download one for a GPU, and report its use.
   */
  private static final Map<String, String> OFFLINE =
      Map.of("ai.djl.offline", "true", "OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");

  /** System properties are changed for a moment, by one thread at a time. */
  private static final Object LOCK = new Object();

  private final HuggingFaceTokenizer tokenizer;
  private final Padding padding;
  private final int maxLength;

  /** The number of tokens of every text; empty for that of the longest beside it. */
  private final OptionalInt rowLength;

  private long cut;

  private Tokens(
      HuggingFaceTokenizer tokenizer, Padding padding, int maxLength, OptionalInt rowLength) {
    this.tokenizer = tokenizer;
    this.padding = padding;
    this.maxLength = maxLength;
    this.rowLength = rowLength;
  }

  /**
   * Loads a tokenizer. The caller closes it.
   *
   * @param fixedLength the number of tokens that the model takes; empty for any
   * @throws DataException if the file is missing or damaged, or texts may be longer than the model
   *     takes
   * @throws UnavailableException if the native library cannot be loaded
   */
  static Tokens load(TextSettings settings, OptionalInt fixedLength) throws IOException {
    Path file = file(settings.tokenizer());
    if (!Files.exists(file)) {
      throw new DataException("the tokenizer %s does not exist".formatted(file));
    }
    Padding padding;
    try {
      padding = Padding.read(file);
    } catch (IOException e) {
      // The data is not to blame, which the caller would name.
      throw new DataException("the tokenizer %s cannot be read: %s".formatted(file, e), e);
    }
    Integer configured = settings.maxLength();
    int maxLength =
        configured == null
            ? fixedLength.orElse(padding.maxLength().orElse(DEFAULT_MAX_LENGTH))
            : configured;
    if (fixedLength.isPresent() && maxLength > fixedLength.getAsInt()) {
      throw new DataException(
          "max_length is %d, and the model takes %d tokens"
              .formatted(maxLength, fixedLength.getAsInt()));
    }
    String length = String.valueOf(maxLength);
    HuggingFaceTokenizer tokenizer =
        open(
            file,
            Map.of(
                "maxLength",
                length,
                "modelMaxLength",
                length,
                "truncation",
                "true",
                "padding",
                "false"));
    return new Tokens(
        tokenizer,
        padding,
        maxLength,
        settings.padsToMaxLength() && fixedLength.isEmpty()
            ? OptionalInt.of(maxLength)
            : fixedLength);
  }

  private static Path file(String path) {
    try {
      return Path.of(path);
    } catch (InvalidPathException e) {
      throw new DataException("the tokenizer '%s' does not exist".formatted(path), e);
    }
  }

  /**
   * DJL looks for its files in the context class loader. That is the application's, which does not
   * see them if this module is a plugin. For this one call it is replaced by the class loader that
   * has them; later calls do not use it.
   */
  private static HuggingFaceTokenizer open(Path file, Map<String, String> options)
      throws IOException {
    Thread thread = Thread.currentThread();
    synchronized (LOCK) {
      @Nullable ClassLoader context = thread.getContextClassLoader();
      Map<String, @Nullable String> before = new HashMap<>();
      OFFLINE.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
      thread.setContextClassLoader(HuggingFaceTokenizer.class.getClassLoader());
      try {
        return HuggingFaceTokenizer.newInstance(file, options);
      } catch (LinkageError | EngineException | IllegalStateException e) {
        throw new UnavailableException(
            "the tokenizers library cannot be loaded here: " + rootMessage(e), e);
      } catch (RuntimeException e) {
        throw new DataException(
            "%s is not a tokenizer.json that can be read: %s".formatted(file, rootMessage(e)), e);
      } finally {
        thread.setContextClassLoader(context);
        before.forEach(Tokens::restore);
      }
    }
  }

  private static void restore(String name, @Nullable String value) {
    if (value == null) {
      System.clearProperty(name);
    } else {
      System.setProperty(name, value);
    }
  }

  private static String rootMessage(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  /** The tokens of texts, or of pairs of texts. */
  PaddedTokens of(List<TextRow> rows, boolean isPaired) {
    Encoding[] encodings = encode(rows, isPaired);
    int longest = 1;
    for (Encoding encoding : encodings) {
      longest = Math.max(longest, encoding.getIds().length);
      cut += encoding.exceedMaxLength() ? 1 : 0;
    }
    PaddedTokens tokens = new PaddedTokens(rows.size(), rowLength.orElse(longest), padding);
    for (int i = 0; i < encodings.length; i++) {
      tokens.put(
          i,
          encodings[i].getIds(),
          encodings[i].getAttentionMask(),
          encodings[i].getTypeIds(),
          padding.isLeft());
    }
    return tokens;
  }

  private Encoding[] encode(List<TextRow> rows, boolean isPaired) {
    if (!isPaired) {
      return tokenizer.batchEncode(rows.stream().map(TextRow::text).toList());
    }
    PairList<String, String> pairs = new PairList<>(rows.size());
    rows.forEach(row -> pairs.add(row.text(), row.pair()));
    return tokenizer.batchEncode(pairs);
  }

  /** How many texts were cut so far. */
  long cut() {
    return cut;
  }

  int maxLength() {
    return maxLength;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
