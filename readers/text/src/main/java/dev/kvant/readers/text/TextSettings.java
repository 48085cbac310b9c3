package dev.kvant.readers.text;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How texts become tokens.
 *
 * @param tokenizer the path of the {@code tokenizer.json}
 * @param maxLength the largest number of tokens of a text, or null for that of the model or the
 *     tokenizer
 * @param padsToMaxLength whether every text gets the largest number of tokens, instead of that of
 *     the longest text beside it
 * @param column the column with the texts
 * @param pairColumn the column with the second texts of pairs, or null
 * @param labelColumn the column with the right answers, or null
 */
record TextSettings(
    String tokenizer,
    @Nullable Integer maxLength,
    boolean padsToMaxLength,
    @Nullable String column,
    @Nullable String pairColumn,
    @Nullable String labelColumn) {

  private static final String TOKENIZER = "tokenizer";
  private static final String MAX_LENGTH = "max_length";
  private static final String PADDING = "padding";
  private static final String COLUMN = "column";
  private static final String PAIR_COLUMN = "pair_column";
  private static final String LABEL_COLUMN = "label_column";

  static final List<OptionDescriptor> OPTIONS =
      List.of(
          OptionDescriptor.of(
              TOKENIZER, OptionDescriptor.Type.STRING, "The tokenizer.json of the model."),
          OptionDescriptor.of(
              MAX_LENGTH,
              OptionDescriptor.Type.INTEGER,
              "The maximum number of tokens; longer texts are cut. By default that of the model's"
                  + " input, else of the tokenizer.json, else 512."),
          OptionDescriptor.choice(
              PADDING,
              List.of("longest", MAX_LENGTH),
              "Whether texts are padded to the longest beside them or to the maximum."),
          OptionDescriptor.of(
              COLUMN,
              OptionDescriptor.Type.STRING,
              "The column of the texts in CSV, TSV and JSON lines. By default 'text', or the only"
                  + " one."),
          OptionDescriptor.of(
              PAIR_COLUMN,
              OptionDescriptor.Type.STRING,
              "The column of the second texts, for models that take pairs."),
          OptionDescriptor.of(
              LABEL_COLUMN,
              OptionDescriptor.Type.STRING,
              "The column of the right classes, which are integers."));

  static List<ConfigurationProblem> problems(Options options) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    if (options.text(TOKENIZER).isBlank()) {
      problems.add(
          new ConfigurationProblem(
              TOKENIZER, "is required to read text: the tokenizer.json of the model"));
    }
    if (options.isSet(MAX_LENGTH) && options.integer(MAX_LENGTH) < 1) {
      problems.add(new ConfigurationProblem(MAX_LENGTH, "must be greater than 0"));
    }
    return problems;
  }

  static TextSettings of(Options options) {
    return new TextSettings(
        options.text(TOKENIZER),
        options.isSet(MAX_LENGTH) ? options.integer(MAX_LENGTH) : null,
        options.text(PADDING).equals(MAX_LENGTH),
        textOrNull(options, COLUMN),
        textOrNull(options, PAIR_COLUMN),
        textOrNull(options, LABEL_COLUMN));
  }

  private static @Nullable String textOrNull(Options options, String key) {
    return options.isSet(key) ? options.text(key) : null;
  }
}
