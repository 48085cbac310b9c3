package dev.kvant.spark;

import dev.kvant.api.DataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.collection.Iterator;
import scala.collection.Seq;

/**
 * Rows of numbers as {@code .npz} files. A file ends where the shape of a column changes, and after
 * 16 MiB, so that memory is bounded.
 */
final class ArrayRows implements RowWriter {

  private static final int MOST_BYTES = 16 << 20;

  /** NumPy's names of the types; each is stored little-endian. */
  private static final Map<DataType, Element> ELEMENTS =
      Map.of(
          DataTypes.FloatType,
          new Element("<f4", 4, (value, out) -> out.putFloat((Float) value)),
          DataTypes.DoubleType,
          new Element("<f8", 8, (value, out) -> out.putDouble((Double) value)),
          DataTypes.LongType,
          new Element("<i8", 8, (value, out) -> out.putLong((Long) value)),
          DataTypes.IntegerType,
          new Element("<i4", 4, (value, out) -> out.putInt((Integer) value)),
          DataTypes.ShortType,
          new Element("<i2", 2, (value, out) -> out.putShort((Short) value)),
          DataTypes.ByteType,
          new Element("|i1", 1, (value, out) -> out.put((Byte) value)),
          DataTypes.BooleanType,
          new Element("|b1", 1, (value, out) -> out.put((byte) ((Boolean) value ? 1 : 0))));

  /** Writes one value. */
  private interface Encoding {
    void put(Object value, ByteBuffer out);
  }

  private record Element(String type, int bytes, Encoding encoding) {}

  private final Path folder;
  private final List<Column> columns = new ArrayList<>();
  private int rows;
  private int files;

  /** A writer into an empty folder. */
  ArrayRows(StructType schema, Path folder) {
    this.folder = folder;
    StructField[] fields = schema.fields();
    for (int i = 0; i < fields.length; i++) {
      columns.add(new Column(fields[i], i));
    }
  }

  /** Whether values of a type are numbers, or lists of numbers of any depth. */
  static boolean isArray(DataType type) {
    return ELEMENTS.containsKey(leaf(type));
  }

  private static DataType leaf(DataType type) {
    DataType leaf = type;
    while (leaf instanceof ArrayType list) {
      leaf = list.elementType();
    }
    return leaf;
  }

  @Override
  public Path data() {
    return folder;
  }

  @Override
  public void add(Row row) throws IOException {
    columns.forEach(column -> column.read(row));
    long bytes = columns.stream().mapToLong(column -> column.stored.size()).sum();
    if (rows > 0 && (bytes >= MOST_BYTES || columns.stream().anyMatch(Column::hasOtherShape))) {
      flush();
    }
    columns.forEach(Column::keep);
    rows++;
  }

  private void flush() throws IOException {
    Path file = folder.resolve("%08d.npz".formatted(files++));
    try (var out = new ZipOutputStream(Files.newOutputStream(file))) {
      out.setLevel(Deflater.NO_COMPRESSION);
      for (Column column : columns) {
        out.putNextEntry(new ZipEntry(column.name + ".npy"));
        column.write(rows, out);
        out.closeEntry();
      }
    }
    rows = 0;
  }

  @Override
  public void close() throws IOException {
    if (rows > 0) {
      flush();
    }
  }

  /** One column: what is stored of rows before, and the value of the current row. */
  private static final class Column {

    private final String name;
    private final int position;
    private final Element element;
    private final int depth;
    private final ByteArrayOutputStream stored = new ByteArrayOutputStream();
    private int[] storedShape = {};
    private int[] shape = {};
    private ByteBuffer value = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);

    Column(StructField field, int position) {
      this.name = field.name();
      this.position = position;
      Element known = ELEMENTS.get(leaf(field.dataType()));
      if (known == null) {
        throw new DataException(RowFormat.named(List.of(field)) + " contains no numbers");
      }
      this.element = known;
      int lists = 0;
      for (DataType type = field.dataType();
          type instanceof ArrayType list;
          type = list.elementType()) {
        lists++;
      }
      this.depth = lists;
    }

    void read(Row row) {
      value.clear();
      shape = new int[depth];
      Arrays.fill(shape, -1);
      if (row.isNullAt(position)) {
        throw nullValue();
      }
      read(row.get(position), 0);
    }

    private void read(Object found, int level) {
      if (level == depth) {
        if (value.remaining() < element.bytes()) {
          grow();
        }
        element.encoding().put(found, value);
        return;
      }
      Seq<?> list = (Seq<?>) found;
      int size = list.size();
      if (shape[level] >= 0 && shape[level] != size) {
        throw new DataException(
            "column '%s' has a row with lists of %d and of %d elements, which are not a tensor"
                .formatted(name, shape[level], size));
      }
      shape[level] = size;
      for (Iterator<?> each = list.iterator(); each.hasNext(); ) {
        Object next = each.next();
        if (next == null) {
          throw nullValue();
        }
        read(next, level + 1);
      }
    }

    private void grow() {
      value.flip();
      value =
          ByteBuffer.allocate(Math.multiplyExact(2, value.capacity()))
              .order(ByteOrder.LITTLE_ENDIAN)
              .put(value);
    }

    private DataException nullValue() {
      return new DataException(
          "column '%s' has a null; leave such rows out, as with DataFrame.na().drop()"
              .formatted(name));
    }

    boolean hasOtherShape() {
      return !Arrays.equals(shape, storedShape);
    }

    void keep() {
      storedShape = shape;
      stored.write(value.array(), 0, value.position());
    }

    void write(int rows, OutputStream out) throws IOException {
      String dimensions =
          Arrays.stream(storedShape)
              .mapToObj(size -> " %d,".formatted(size))
              .collect(Collectors.joining());
      String header =
          "{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s), }"
              .formatted(element.type(), rows, dimensions);
      // The header ends in a line feed at a multiple of 64 bytes.
      int padding = 63 - (10 + header.length()) % 64;
      byte[] text = (header + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
      out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
      out.write(text.length & 0xFF);
      out.write(text.length >> 8);
      out.write(text);
      stored.writeTo(out);
      stored.reset();
    }
  }
}
