package dev.kvant.backend.onnx;

import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Reads the arrays that the tests need from NumPy's files. */
final class Npz {

  private static final Pattern HEADER =
      Pattern.compile("'descr': '(.*?)'.*'shape': \\(([0-9, ]*)\\)");

  private Npz() {}

  private static Map<String, Tensor> read(Path file) {
    Map<String, Tensor> arrays = new HashMap<>();
    try (InputStream stream = Files.newInputStream(file);
        ZipInputStream zip = new ZipInputStream(stream)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        arrays.put(entry.getName().replace(".npy", ""), array(zip.readAllBytes()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return arrays;
  }

  /** The array of that name in a file. */
  static Tensor read(Path file, String name) {
    return Objects.requireNonNull(read(file).get(name), name);
  }

  private static Tensor array(byte[] npy) {
    ByteBuffer buffer = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = buffer.getShort(8);
    Matcher header = HEADER.matcher(new String(npy, 10, headerLength, StandardCharsets.ISO_8859_1));
    if (!header.find()) {
      throw new IllegalArgumentException("npy: no header");
    }
    ElementType type =
        switch (header.group(1)) {
          case "<f4" -> ElementType.FLOAT32;
          case "<i8" -> ElementType.INT64;
          default -> throw new IllegalArgumentException("npy: type " + header.group(1));
        };
    List<Long> shape =
        Arrays.stream(header.group(2).split(",", -1))
            .map(String::strip)
            .filter(text -> !text.isEmpty())
            .map(Long::valueOf)
            .toList();
    return Tensor.of(type, shape, buffer.position(10 + headerLength));
  }
}
