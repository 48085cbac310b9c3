package dev.kvant.spark;

import dev.kvant.api.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of images as image files: of a column of bytes, such as {@code content} of Spark's source
 * {@code binaryFile}, else of a column of paths.
 */
final class ImageRows implements RowWriter {

  /** The first bytes of the formats, by the ends of their names. */
  private static final Map<String, byte[]> STARTS =
      Map.of(
          "png", new byte[] {(byte) 0x89, 'P', 'N', 'G'},
          "jpg", new byte[] {(byte) 0xFF, (byte) 0xD8},
          "gif", "GIF8".getBytes(StandardCharsets.US_ASCII),
          "bmp", "BM".getBytes(StandardCharsets.US_ASCII),
          "webp", "RIFF".getBytes(StandardCharsets.US_ASCII));

  private final Path folder;
  private final HadoopFiles files;
  private final int column;
  private final boolean isBytes;
  private long rows;

  /** A writer into an empty folder. */
  ImageRows(StructType schema, HadoopFiles files, Path folder) {
    this.folder = folder;
    this.files = files;
    List<StructField> columns = Arrays.asList(schema.fields());
    List<StructField> candidates = new ArrayList<>(columns);
    candidates.removeIf(each -> !each.dataType().equals(DataTypes.BinaryType));
    this.isBytes = !candidates.isEmpty();
    if (!isBytes) {
      candidates.addAll(columns);
      candidates.removeIf(each -> !(each.dataType() instanceof StringType));
    }
    if (candidates.size() != 1) {
      throw new DataException(
          "images require one column of bytes, or else one of paths, and not %s; select it"
              .formatted(RowFormat.named(candidates.isEmpty() ? columns : candidates)));
    }
    this.column = columns.indexOf(candidates.get(0));
  }

  @Override
  public Path data() {
    return folder;
  }

  @Override
  public void add(Row row) throws IOException {
    Object value = row.get(column);
    if (value == null) {
      throw new DataException(
          "the column of images has a null; leave such rows out, as with DataFrame.na().drop()");
    }
    String name = "%012d.".formatted(rows++);
    if (!isBytes) {
      String path = (String) value;
      files.copy(path, folder.resolve(name + path.substring(path.lastIndexOf('.') + 1)));
      return;
    }
    byte[] bytes = (byte[]) value;
    String end =
        STARTS.entrySet().stream()
            .filter(start -> startsWith(bytes, start.getValue()))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow(
                () ->
                    new DataException(
                        "the column of images has bytes that do not begin like a PNG, JPEG, GIF,"
                            + " BMP or WebP file"));
    Files.write(folder.resolve(name + end), bytes);
  }

  private static boolean startsWith(byte[] bytes, byte[] start) {
    return bytes.length >= start.length
        && Arrays.equals(bytes, 0, start.length, start, 0, start.length);
  }

  @Override
  public void close() {
    // Each file is closed when it is written.
  }
}
