package dev.kvant.gguf;

import dev.kvant.spi.ByteSource;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A key of a file's metadata with its value. The value of an opened file stays on disk.
 *
 * @param key as in {@code general.architecture}
 * @param type the type of the value
 * @param value its bytes as a file has them
 * @since 0.1.0
 */
public record GgufEntry(String key, GgufValueType type, ByteSource value) {

  /** Bytes that are copied at once. */
  private static final int PIECE = 1 << 16;

  /** The longest text that is read into memory, in bytes. */
  private static final int MAX_TEXT = 1 << 20;

  public GgufEntry {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(value, "value");
  }

  /**
   * An entry with a value of the type {@code UINT32}.
   *
   * @param value 0 or more
   */
  public static GgufEntry of(String key, int value) {
    return new GgufEntry(
        key, GgufValueType.UINT32, held(littleEndian(Integer.BYTES).putInt(0, value)));
  }

  /** An entry with a value of the type {@code FLOAT32}. */
  public static GgufEntry of(String key, float value) {
    return new GgufEntry(
        key, GgufValueType.FLOAT32, held(littleEndian(Float.BYTES).putFloat(0, value)));
  }

  /** An entry with a value of the type {@code BOOL}. */
  public static GgufEntry of(String key, boolean value) {
    return new GgufEntry(
        key, GgufValueType.BOOL, held(littleEndian(Byte.BYTES).put(0, (byte) (value ? 1 : 0))));
  }

  /** An entry with a value of the type {@code STRING}. */
  public static GgufEntry of(String key, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return new GgufEntry(
        key,
        GgufValueType.STRING,
        held(littleEndian(Long.BYTES + bytes.length).putLong(bytes.length).put(bytes)));
  }

  /** An entry with an array of texts. */
  public static GgufEntry ofTexts(String key, List<String> values) {
    List<byte[]> texts = new ArrayList<>();
    int length = 0;
    for (String value : values) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      texts.add(bytes);
      length = Math.addExact(length, Long.BYTES + bytes.length);
    }
    ByteBuffer array = array(GgufValueType.STRING, values.size(), length);
    texts.forEach(text -> array.putLong(text.length).put(text));
    return new GgufEntry(key, GgufValueType.ARRAY, held(array));
  }

  /** An entry with an array of the type {@code INT32}. */
  public static GgufEntry of(String key, int[] values) {
    ByteBuffer array = array(GgufValueType.INT32, values.length, values.length * Integer.BYTES);
    for (int value : values) {
      array.putInt(value);
    }
    return new GgufEntry(key, GgufValueType.ARRAY, held(array));
  }

  /** An entry with an array of the type {@code FLOAT32}. */
  public static GgufEntry of(String key, float[] values) {
    ByteBuffer array = array(GgufValueType.FLOAT32, values.length, values.length * Float.BYTES);
    for (float value : values) {
      array.putFloat(value);
    }
    return new GgufEntry(key, GgufValueType.ARRAY, held(array));
  }

  private static ByteBuffer array(GgufValueType elements, int count, int bytes) {
    return littleEndian(Math.addExact(Integer.BYTES + Long.BYTES, bytes))
        .putInt(elements.number())
        .putLong(count);
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteSource held(ByteBuffer bytes) {
    return new ByteSource() {
      @Override
      public long size() {
        return bytes.capacity();
      }

      @Override
      public void read(long position, ByteBuffer target) {
        target.put(bytes.slice((int) position, target.remaining()));
      }
    };
  }

  /** The value as a number; empty if it is not an integer, or 2^63 or more. */
  public OptionalLong integer() {
    int bytes = type.bytes();
    if (!type.isInteger()) {
      return OptionalLong.empty();
    }
    ByteBuffer read = littleEndian(bytes);
    value.read(0, read);
    long signed =
        switch (bytes) {
          case Byte.BYTES -> read.get(0);
          case Short.BYTES -> read.getShort(0);
          case Integer.BYTES -> read.getInt(0);
          default -> read.getLong(0);
        };
    if (type.isUnsigned() && bytes < Long.BYTES) {
      return OptionalLong.of(signed & ((1L << (bytes * Byte.SIZE)) - 1));
    }
    return type.isUnsigned() && signed < 0 ? OptionalLong.empty() : OptionalLong.of(signed);
  }

  /**
   * The value as a text; empty if it is none.
   *
   * @throws dev.kvant.api.ModelFormatException if it is longer than 1 MiB
   */
  public Optional<String> text() {
    if (type != GgufValueType.STRING) {
      return Optional.empty();
    }
    byte[] bytes = value.readAll(MAX_TEXT, "the metadata '%s'".formatted(key));
    return Optional.of(
        new String(bytes, Long.BYTES, bytes.length - Long.BYTES, StandardCharsets.UTF_8));
  }

  /** How many bytes the entry has in a file. */
  long bytes() {
    return Long.BYTES + key.getBytes(StandardCharsets.UTF_8).length + Integer.BYTES + value.size();
  }

  /** Writes the entry. */
  void writeTo(OutputStream out) throws IOException {
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    out.write(
        littleEndian(Long.BYTES + name.length + Integer.BYTES)
            .putLong(name.length)
            .put(name)
            .putInt(type.number())
            .array());
    for (long position = 0; position < value.size(); position += PIECE) {
      var piece = new byte[(int) Math.min(PIECE, value.size() - position)];
      value.read(position, ByteBuffer.wrap(piece));
      out.write(piece);
    }
  }
}
