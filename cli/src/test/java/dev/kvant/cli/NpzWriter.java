package dev.kvant.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes what {@code numpy.savez_compressed} writes. */
final class NpzWriter {

  private final Map<String, byte[]> records = new LinkedHashMap<>();

  /** Adds an array of float32. */
  NpzWriter floats(String name, float[] values, int... shape) {
    ByteBuffer data =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return record(name, npy("<f4", "False", shape(shape), data.array()));
  }

  /** Adds an array of int64. */
  NpzWriter longs(String name, long[] values, int... shape) {
    ByteBuffer data =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asLongBuffer().put(values);
    return record(name, npy("<i8", "False", shape(shape), data.array()));
  }

  /** Adds a record as it is. */
  NpzWriter record(String name, byte[] npy) {
    records.put(name + ".npy", npy);
    return this;
  }

  /** Writes the file. */
  Path write(Path file) {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, byte[]> each : records.entrySet()) {
        zip.putNextEntry(new ZipEntry(each.getKey()));
        zip.write(each.getValue());
        zip.closeEntry();
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String shape(int[] shape) {
    return Arrays.stream(shape).mapToObj(each -> each + ",").collect(Collectors.joining(" "));
  }

  /** An array in version 1 of the format. */
  static byte[] npy(String type, String columnByColumn, String shape, byte[] data) {
    String header =
        "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }"
            .formatted(type, columnByColumn, shape);
    String padded = header + " ".repeat(63 - (10 + header.length()) % 64) + "\n";
    var npy = new ByteArrayOutputStream();
    npy.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    npy.write(padded.length() & 0xFF);
    npy.write(padded.length() >> 8);
    npy.writeBytes(padded.getBytes(StandardCharsets.ISO_8859_1));
    npy.writeBytes(data);
    return npy.toByteArray();
  }
}
