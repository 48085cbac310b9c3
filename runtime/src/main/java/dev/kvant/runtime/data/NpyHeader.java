package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What stands before the elements of an array in NumPy's format, versions 1 to 3.
 *
 * <p>Source: <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">the
 * format's description</a>.
 *
 * @param elementType the type of the elements
 * @param fortranOrder whether the first axis varies fastest
 * @param shape the dimensions, outermost first
 */
record NpyHeader(ElementType elementType, boolean fortranOrder, List<Long> shape) {

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** NumPy itself refuses longer ones unless told otherwise. */
  private static final int LONGEST = 10_000;

  private static final Pattern DICTIONARY =
      Pattern.compile(
          "\\{\\s*'descr'\\s*:\\s*(?<descr>'[^']*'|\\[.*\\]|\\(.*\\))\\s*,"
              + "\\s*'fortran_order'\\s*:\\s*(?<order>True|False)\\s*,"
              + "\\s*'shape'\\s*:\\s*\\((?<shape>[\\d,\\sL]*)\\)\\s*,?\\s*\\}\\s*",
          Pattern.DOTALL);

  private static final Map<String, ElementType> TYPES =
      Map.ofEntries(
          Map.entry("f2", ElementType.FLOAT16),
          Map.entry("f4", ElementType.FLOAT32),
          Map.entry("f8", ElementType.FLOAT64),
          Map.entry("i1", ElementType.INT8),
          Map.entry("i2", ElementType.INT16),
          Map.entry("i4", ElementType.INT32),
          Map.entry("i8", ElementType.INT64),
          Map.entry("u1", ElementType.UINT8),
          Map.entry("u2", ElementType.UINT16),
          Map.entry("u4", ElementType.UINT32),
          Map.entry("u8", ElementType.UINT64),
          Map.entry("b1", ElementType.BOOL));

  /** Whether a file begins like an array in this format. */
  static boolean isAt(byte[] start) {
    return start.length >= MAGIC.length
        && Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
  }

  /**
   * Reads the header and leaves the stream at the first element.
   *
   * @param in the array
   * @param name what to call it in errors
   * @throws DataException if it is damaged, or holds what is no tensor
   */
  static NpyHeader read(DataInputStream in, String name) throws IOException {
    try {
      byte[] magic = in.readNBytes(MAGIC.length);
      if (!isAt(magic)) {
        throw new DataException("%s is not an array in NumPy's format".formatted(name));
      }
      int major = in.readUnsignedByte();
      int minor = in.readUnsignedByte();
      if (major < 1 || major > 3 || minor != 0) {
        throw new DataException(
            "%s is in version %d.%d of NumPy's format; 1.0, 2.0 and 3.0 can be read"
                .formatted(name, major, minor));
      }
      long length =
          major == 1
              ? Short.toUnsignedInt(Short.reverseBytes(in.readShort()))
              : Integer.toUnsignedLong(Integer.reverseBytes(in.readInt()));
      if (length > LONGEST) {
        throw new DataException(
            "the header of %s would be %d bytes long, which no tensor needs"
                .formatted(name, length));
      }
      byte[] header = new byte[(int) length];
      in.readFully(header);
      Charset charset = major == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
      return parse(new String(header, charset), name);
    } catch (EOFException e) {
      throw new DataException("%s ends within its header".formatted(name), e);
    }
  }

  private static NpyHeader parse(String dictionary, String name) {
    Matcher matcher = DICTIONARY.matcher(dictionary);
    if (!matcher.matches()) {
      throw new DataException(
          "the header of %s is not understood: %s".formatted(name, dictionary.strip()));
    }
    List<Long> shape = new ArrayList<>();
    for (String dimension : matcher.group("shape").split(",", -1)) {
      String digits = dimension.replace("L", "").strip();
      if (!digits.isEmpty()) {
        shape.add(dimension(digits, name));
      }
    }
    return new NpyHeader(
        elementType(matcher.group("descr"), name), matcher.group("order").equals("True"), shape);
  }

  private static long dimension(String digits, String name) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new DataException(
          "the header of %s has the dimension '%s', which is no size".formatted(name, digits), e);
    }
  }

  private static ElementType elementType(String descr, String name) {
    if (!descr.startsWith("'")) {
      throw new DataException(
          "%s holds records with fields, not numbers; save each field as an array of its own"
              .formatted(name));
    }
    String code = descr.substring(1, descr.length() - 1);
    if (code.startsWith(">")) {
      throw new DataException(
          "%s is big-endian ('%s'); save it little-endian, as in array.astype('<f4')"
              .formatted(name, code));
    }
    if (code.equals("|O")) {
      throw new DataException(
          "%s holds Python objects, which are never loaded; save it as numbers, as in"
                  .formatted(name)
              + " array.astype('float32')");
    }
    ElementType type =
        code.startsWith("<") || code.startsWith("|") ? TYPES.get(code.substring(1)) : null;
    if (type == null) {
      throw new DataException(
          "%s holds elements of type '%s', which no tensor has; save it as numbers, as in"
                  .formatted(name, code)
              + " array.astype('float32')");
    }
    return type;
  }
}
