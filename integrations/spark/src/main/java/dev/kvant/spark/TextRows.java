package dev.kvant.spark;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonWriter;
import dev.kvant.api.DataException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Rows of texts, and of numbers beside them, as JSON lines. */
final class TextRows implements RowWriter {

  private final Path file;
  private final StructField[] columns;
  private final Writer lines;
  private final JsonWriter json;

  /** A writer into an empty folder. */
  TextRows(StructType schema, Path folder) throws IOException {
    this.columns = schema.fields();
    List<StructField> others = new ArrayList<>(Arrays.asList(columns));
    others.removeIf(
        column -> column.dataType() instanceof StringType || RowFormat.isNumber(column.dataType()));
    if (!others.isEmpty()) {
      throw new DataException(
          "%s is neither a text nor a number; select the columns of the texts"
              .formatted(RowFormat.named(others)));
    }
    this.file = folder.resolve("rows.jsonl");
    this.lines = Files.newBufferedWriter(file);
    this.json = new JsonWriter(lines);
    // One object after the other.
    json.setStrictness(Strictness.LENIENT);
  }

  @Override
  public Path data() {
    return file;
  }

  @Override
  public void add(Row row) throws IOException {
    json.beginObject();
    for (int i = 0; i < columns.length; i++) {
      String name = columns[i].name();
      Object value = row.get(i);
      if (value == null) {
        throw new DataException(
            "column '%s' has a null; leave such rows out, as with DataFrame.na().drop()"
                .formatted(name));
      }
      json.name(name);
      if (value instanceof Number number) {
        json.value(number);
      } else {
        json.value((String) value);
      }
    }
    json.endObject();
    lines.write('\n');
  }

  @Override
  public void close() throws IOException {
    json.close();
  }
}
