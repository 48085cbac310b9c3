package dev.kvant.distribution;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Data as NumPy writes it. */
final class Npz {

  private Npz() {}

  /** Writes one float32 array named input, of one value throughout. */
  static Path write(Path file, float value, int... shape) throws IOException {
    byte[] header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n"
            .formatted(Arrays.stream(shape).mapToObj(n -> n + ", ").collect(Collectors.joining()))
            .getBytes(StandardCharsets.US_ASCII);
    int elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    ByteBuffer array =
        ByteBuffer.allocate(10 + header.length + 4 * elements).order(ByteOrder.LITTLE_ENDIAN);
    array.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    array.putShort((short) header.length).put(header);
    while (array.hasRemaining()) {
      array.putFloat(value);
    }
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("input.npy"));
      zip.write(array.array());
    }
    return file;
  }
}
