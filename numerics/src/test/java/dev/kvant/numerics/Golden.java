package dev.kvant.numerics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * A golden file: a NumPy archive of little-endian arrays, made by {@code
 * interop/golden/make_numerics_golden.py}, which describes the contents.
 */
final class Golden {

  private static final int MAGIC_AND_VERSION_BYTES = 8;

  private final String name;
  private final Map<String, ByteBuffer> arrays = new LinkedHashMap<>();

  private Golden(String name) {
    this.name = name;
  }

  static Golden read(String name) {
    Golden golden = new Golden(name);
    try (InputStream file = Golden.class.getResourceAsStream("/golden/" + name + ".npz")) {
      if (file == null) {
        throw new IllegalArgumentException("No golden file " + name);
      }
      ZipInputStream zip = new ZipInputStream(file);
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        golden.arrays.put(entry.getName().replace(".npy", ""), data(zip.readAllBytes()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return golden;
  }

  private static ByteBuffer data(byte[] npy) {
    ByteBuffer buffer = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = buffer.getShort(MAGIC_AND_VERSION_BYTES);
    int dataStart = MAGIC_AND_VERSION_BYTES + Short.BYTES + headerBytes;
    String header =
        new String(npy, MAGIC_AND_VERSION_BYTES, headerBytes, StandardCharsets.US_ASCII);
    if (header.contains("'>") || header.contains("'fortran_order': True")) {
      throw new IllegalArgumentException("Not a little-endian row-major array: " + header);
    }
    return buffer.position(dataStart).slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The bytes of an array, little-endian. */
  ByteBuffer buffer(String array) {
    ByteBuffer found = arrays.get(array);
    if (found == null) {
      throw new IllegalArgumentException(name + " has " + arrays.keySet() + ", not " + array);
    }
    return found.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  byte[] bytes(String array) {
    ByteBuffer buffer = buffer(array);
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  short[] shorts(String array) {
    ByteBuffer buffer = buffer(array);
    short[] shorts = new short[buffer.remaining() / Short.BYTES];
    buffer.asShortBuffer().get(shorts);
    return shorts;
  }

  float[] floats(String array) {
    ByteBuffer buffer = buffer(array);
    float[] floats = new float[buffer.remaining() / Float.BYTES];
    buffer.asFloatBuffer().get(floats);
    return floats;
  }
}
