package dev.kvant.integration;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.kit.ContiguousTensor;
import dev.kvant.kit.NamedTensorsModel;
import dev.kvant.spi.ModelFormat;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/** Opens the weights of a model that {@code numpy.savez} wrote; they are read into memory. */
public final class NpzFormat implements ModelFormat {

  private static final Map<String, ElementType> TYPES =
      Map.of("<f4", ElementType.FLOAT32, "<f2", ElementType.FLOAT16, "<i8", ElementType.INT64);

  private static final Pattern HEADER =
      Pattern.compile("'descr': '(.+?)', 'fortran_order': False, 'shape': \\(([\\d, ]*)\\)");

  @Override
  public List<String> ids() {
    return List.of("npz");
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (var zip = new ZipInputStream(Files.newInputStream(path))) {
      ZipEntry first = zip.getNextEntry();
      return first != null && first.getName().endsWith(".npy");
    }
  }

  @Override
  public NamedTensorsModel open(Path path) {
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    try (var zip = new ZipInputStream(Files.newInputStream(path))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        String name = entry.getName().replaceFirst("\\.npy$", "");
        tensors.put(name, tensor(name, new DataInputStream(zip)));
      }
    } catch (EOFException | ZipException e) {
      throw new ModelFormatException("%s is damaged; copy it again".formatted(path), e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
    return new NamedTensorsModel(path, "npz", tensors, () -> {});
  }

  private static ModelTensor tensor(String name, DataInputStream npy) throws IOException {
    npy.readNBytes(8); // The magic number and the version.
    int length = Short.toUnsignedInt(Short.reverseBytes(npy.readShort()));
    String header = new String(npy.readNBytes(length), StandardCharsets.US_ASCII);
    Matcher array = HEADER.matcher(header);
    if (!array.find() || !TYPES.containsKey(array.group(1))) {
      throw new ModelFormatException(
          "array '%s' is stored as %s; only the types %s in C order are supported"
              .formatted(name, header.strip(), TYPES.keySet()));
    }
    List<Long> shape =
        Arrays.stream(array.group(2).split(",", -1))
            .filter(extent -> !extent.isBlank())
            .map(extent -> Long.valueOf(extent.strip()))
            .toList();
    return ContiguousTensor.of(
        name, TYPES.get(array.group(1)), shape, ByteBuffer.wrap(npy.readAllBytes()));
  }
}
