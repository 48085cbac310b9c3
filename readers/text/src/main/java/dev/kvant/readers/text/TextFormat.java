package dev.kvant.readers.text;

import dev.kvant.api.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The kinds of text files, by their extensions. */
enum TextFormat {
  /** Each line that is not blank is a text. */
  LINES("txt") {
    @Override
    TextRows open(Path file, TextSettings settings) throws IOException {
      Stream.of("column", "pair_column", "label_column")
          .filter(key -> isSet(key, settings))
          .findFirst()
          .ifPresent(
              key -> {
                throw new DataException(
                    "%s has lines and no columns; leave '%s' out, or use .csv, .tsv or .jsonl"
                        .formatted(file, key));
              });
      return new LineRows(new TextLines(file));
    }
  },
  /** Columns separated by commas, as RFC 4180 defines them, below a line of names. */
  CSV("csv") {
    @Override
    TextRows open(Path file, TextSettings settings) throws IOException {
      return ColumnRows.open(new DelimitedTable(new TextLines(file), ','), settings);
    }
  },
  /** The same with tabs. */
  TSV("tsv") {
    @Override
    TextRows open(Path file, TextSettings settings) throws IOException {
      return ColumnRows.open(new DelimitedTable(new TextLines(file), '\t'), settings);
    }
  },
  /** A JSON object on each line. */
  JSON_LINES("jsonl|ndjson") {
    @Override
    TextRows open(Path file, TextSettings settings) throws IOException {
      return ColumnRows.open(new JsonTable(new TextLines(file)), settings);
    }
  };

  /** A regular expression. */
  private final String extensions;

  TextFormat(String extensions) {
    this.extensions = extensions;
  }

  private static boolean isSet(String key, TextSettings settings) {
    return switch (key) {
      case "column" -> settings.column() != null;
      case "pair_column" -> settings.pairColumn() != null;
      default -> settings.labelColumn() != null;
    };
  }

  /** Opens a file. The caller closes it. */
  abstract TextRows open(Path file, TextSettings settings) throws IOException;

  /** The format of a file; empty if its name has none of the extensions. */
  static Optional<TextFormat> of(Path file) {
    String name = file.getFileName().toString();
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return Stream.of(values()).filter(format -> extension.matches(format.extensions)).findFirst();
  }
}
