package dev.kvant.readers.text;

import dev.kvant.api.DataException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Samples from the columns of a table. */
final class ColumnRows implements TextRows {

  private static final String DEFAULT_COLUMN = "text";

  private final TextTable table;
  private final TextSettings settings;

  private ColumnRows(TextTable table, TextSettings settings) {
    this.table = table;
    this.settings = settings;
  }

  /** The samples of a table, which is closed with them. */
  static ColumnRows open(TextTable table, TextSettings settings) {
    return new ColumnRows(table, settings);
  }

  @Override
  public Optional<TextRow> next() throws IOException {
    Optional<Map<String, String>> record = table.next();
    if (record.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> values = record.get();
    String pair = settings.pairColumn();
    String label = settings.labelColumn();
    return Optional.of(
        new TextRow(
            value(values, textColumn(values), "column"),
            pair == null ? null : value(values, pair, "pair_column"),
            label == null ? 0 : label(value(values, label, "label_column"))));
  }

  private String textColumn(Map<String, String> values) {
    String column = settings.column();
    if (column != null) {
      return column;
    }
    return values.size() == 1 ? values.keySet().iterator().next() : DEFAULT_COLUMN;
  }

  private String value(Map<String, String> values, String column, String setting) {
    @Nullable String value = values.get(column);
    if (value == null) {
      throw new DataException(
          "%s has no column '%s', only %s; name one in '%s'"
              .formatted(table.place(), column, String.join(", ", values.keySet()), setting));
    }
    return value;
  }

  private long label(String value) {
    try {
      return Long.parseLong(value.strip());
    } catch (NumberFormatException e) {
      throw new DataException(
          "the label of %s is '%s', not an integer".formatted(table.place(), value), e);
    }
  }

  @Override
  public boolean isPaired() {
    return settings.pairColumn() != null;
  }

  @Override
  public boolean isLabelled() {
    return settings.labelColumn() != null;
  }

  @Override
  public void close() throws IOException {
    table.close();
  }
}
