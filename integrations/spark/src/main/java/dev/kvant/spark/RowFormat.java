package dev.kvant.spark;

import dev.kvant.api.DataConfig;
import dev.kvant.api.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** What the columns of a DataFrame contain, which says in which files a task writes its rows. */
enum RowFormat {
  /** Numbers and lists of numbers: arrays, named as the columns. */
  ARRAYS {
    @Override
    RowWriter open(StructType schema, HadoopFiles files, Path folder) {
      return new ArrayRows(schema, folder);
    }
  },
  /** Texts: one JSON object for each row. */
  TEXTS {
    @Override
    RowWriter open(StructType schema, HadoopFiles files, Path folder) throws IOException {
      return new TextRows(schema, folder);
    }
  },
  /** Bytes, or paths, of image files. */
  IMAGES {
    @Override
    RowWriter open(StructType schema, HadoopFiles files, Path folder) throws IOException {
      return new ImageRows(schema, files, folder);
    }
  };

  /** Opens a writer into an empty folder. */
  abstract RowWriter open(StructType schema, HadoopFiles files, Path folder) throws IOException;

  /**
   * The format of a DataFrame.
   *
   * @param data the settings of the data reader
   * @throws DataException if the columns fit no format
   */
  static RowFormat of(StructType schema, DataConfig data) {
    if (schema.isEmpty()) {
      throw new DataException("the DataFrame has no columns");
    }
    List<StructField> columns = Arrays.asList(schema.fields());
    boolean namesImages =
        "images".equals(data.reader())
            || data.options().keySet().stream().anyMatch(key -> key.startsWith("images."));
    if (columns.stream().anyMatch(column -> column.dataType().equals(DataTypes.BinaryType))
        || namesImages) {
      return IMAGES;
    }
    if (columns.stream().anyMatch(column -> column.dataType() instanceof StringType)) {
      return TEXTS;
    }
    List<StructField> others =
        columns.stream().filter(column -> !ArrayRows.isArray(column.dataType())).toList();
    if (!others.isEmpty()) {
      throw new DataException(
          "%s cannot be the input of a model; select columns of numbers, lists of numbers, texts, or bytes of images"
              .formatted(named(others)));
    }
    return ARRAYS;
  }

  /**
   * Writes all rows.
   *
   * @param folder a folder of the task
   * @return the path for the data reader
   */
  Path write(Iterator<Row> rows, StructType schema, HadoopFiles files, Path folder)
      throws IOException {
    try (RowWriter writer = open(schema, files, Files.createDirectory(folder.resolve("data")))) {
      while (rows.hasNext()) {
        writer.add(rows.next());
      }
      return writer.data();
    }
  }

  /** Names and types of columns, for messages. */
  static String named(List<StructField> columns) {
    return columns.stream()
        .map(column -> "column '%s' (%s)".formatted(column.name(), column.dataType().sql()))
        .collect(Collectors.joining(", "));
  }

  /** Whether a column contains a number for each row. */
  static boolean isNumber(DataType type) {
    return type instanceof NumericType;
  }
}
