package dev.kvant.readers.text;

import dev.kvant.api.DataException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Records whose values a character separates, below a line with the names of the columns.
 *
 * <p>Values in double quotes may contain the separator, line breaks, which become {@code \n}, and
 * quotes that are doubled. Lines that are empty are left out. Source: RFC 4180.
 */
final class DelimitedTable implements TextTable {

  private final TextLines lines;
  private final char separator;
  private final List<String> columns;

  DelimitedTable(TextLines lines, char separator) throws IOException {
    this.lines = lines;
    this.separator = separator;
    try {
      this.columns =
          record()
              .orElseThrow(
                  () ->
                      new DataException(
                          "%s is empty; its first line must name the columns"
                              .formatted(lines.file())));
      Set<String> names = new HashSet<>();
      for (String name : columns) {
        if (!names.add(name)) {
          throw new DataException("%s has several columns '%s'".formatted(lines.file(), name));
        }
      }
    } catch (IOException | RuntimeException e) {
      lines.close();
      throw e;
    }
  }

  @Override
  public Optional<Map<String, String>> next() throws IOException {
    Optional<List<String>> values = record();
    if (values.isEmpty()) {
      return Optional.empty();
    }
    if (values.get().size() != columns.size()) {
      throw new DataException(
          "%s has %d values, and the first line names %d columns"
              .formatted(place(), values.get().size(), columns.size()));
    }
    Map<String, String> byColumn = new LinkedHashMap<>();
    for (int i = 0; i < columns.size(); i++) {
      byColumn.put(columns.get(i), values.get().get(i));
    }
    return Optional.of(byColumn);
  }

  private Optional<List<String>> record() throws IOException {
    String line = lines.next();
    while (line != null && line.isEmpty()) {
      line = lines.next();
    }
    if (line == null) {
      return Optional.empty();
    }
    List<String> values = new ArrayList<>();
    StringBuilder value = new StringBuilder();
    int i = 0;
    while (true) {
      if (i < line.length() && line.charAt(i) == '"') {
        String start = place();
        i++;
        while (i >= line.length() || line.charAt(i) != '"' || isDoubled(line, i)) {
          if (i >= line.length()) {
            String more = lines.next();
            if (more == null) {
              throw new DataException(start + " has a quote that is not closed");
            }
            value.append('\n');
            line = more;
            i = 0;
          } else {
            i += line.charAt(i) == '"' ? 1 : 0;
            value.append(line.charAt(i++));
          }
        }
        i++;
        if (i < line.length() && line.charAt(i) != separator) {
          throw new DataException(place() + " has text behind a value in quotes");
        }
      } else {
        while (i < line.length() && line.charAt(i) != separator) {
          value.append(line.charAt(i++));
        }
      }
      values.add(value.toString());
      value.setLength(0);
      if (i >= line.length()) {
        return Optional.of(values);
      }
      i++;
    }
  }

  private static boolean isDoubled(String line, int i) {
    return i + 1 < line.length() && line.charAt(i + 1) == '"';
  }

  @Override
  public String place() {
    return lines.place();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
