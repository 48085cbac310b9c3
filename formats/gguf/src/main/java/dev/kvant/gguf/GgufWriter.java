package dev.kvant.gguf;

import dev.kvant.api.ElementType;
import dev.kvant.kit.ArtifactStream;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes GGUF files of version 3: counts, metadata, descriptions of tensors, the tensors, each of
 * them padded with zeros to a multiple of the alignment.
 *
 * @since 0.1.0
 */
public final class GgufWriter {

  private GgufWriter() {}

  /** Whether GGUF files can hold elements of that type. */
  public static boolean supports(ElementType elementType) {
    return GgufType.of(elementType).isPresent();
  }

  /**
   * Writes a file.
   *
   * @param file where to, over what it holds
   * @param metadata the metadata, in the order in which to write it; its {@code general.alignment}
   *     gives the alignment of the tensors, 32 bytes without it
   * @param tensors the tensors, in the order in which to write them
   * @param progress advances as the tensors are written
   * @throws dev.kvant.api.KvantException if the file cannot be written
   * @throws IllegalArgumentException if two tensors or two keys have one name, or the type of a
   *     tensor is not supported
   * @throws IllegalStateException if the content of a tensor is not as long as its shape says
   */
  public static void write(
      Path file,
      Collection<GgufEntry> metadata,
      List<OutputTensor> tensors,
      ByteProgress progress) {
    checkDistinct("metadata", metadata.stream().map(GgufEntry::key).toList());
    checkDistinct("tensors", tensors.stream().map(OutputTensor::name).toList());
    int alignment =
        metadata.stream()
            .filter(entry -> entry.key().equals(GgufFile.ALIGNMENT))
            .findFirst()
            .map(entry -> (int) entry.integer().orElse(GgufFile.DEFAULT_ALIGNMENT))
            .orElse(GgufFile.DEFAULT_ALIGNMENT);
    List<byte[]> descriptions = descriptions(tensors, alignment);
    try (var out = new ArtifactStream(file)) {
      out.write(
          littleEndian(2 * Integer.BYTES + 2 * Long.BYTES)
              .putInt(GgufFile.MAGIC)
              .putInt(GgufFile.VERSION)
              .putLong(tensors.size())
              .putLong(metadata.size())
              .array());
      long length = 2 * Integer.BYTES + 2 * Long.BYTES;
      for (GgufEntry entry : metadata) {
        entry.writeTo(out);
        length += entry.bytes();
      }
      for (byte[] description : descriptions) {
        out.write(description);
        length += description.length;
      }
      out.write(new byte[(int) GgufFile.padding(length, alignment)]);
      for (OutputTensor tensor : tensors) {
        tensor.writeTo(out, progress);
        out.write(new byte[(int) GgufFile.padding(tensor.bytes(), alignment)]);
      }
    } catch (IOException e) {
      throw ArtifactStream.unwritable(file, e);
    }
  }

  private static void checkDistinct(String what, List<String> names) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException("%s: two are named '%s'".formatted(what, name));
      }
    }
  }

  private static List<byte[]> descriptions(List<OutputTensor> tensors, int alignment) {
    List<byte[]> descriptions = new ArrayList<>();
    long offset = 0;
    for (OutputTensor tensor : tensors) {
      GgufType type =
          GgufType.of(tensor.elementType())
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "tensors: '%s' is %s, which GGUF files cannot hold"
                              .formatted(tensor.name(), tensor.elementType())));
      byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
      List<Long> shape = tensor.shape();
      var bytes =
          new byte[Long.BYTES + name.length + 2 * Integer.BYTES + (shape.size() + 1) * Long.BYTES];
      ByteBuffer description =
          ByteBuffer.wrap(bytes)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(name.length)
              .put(name)
              .putInt(shape.size());
      for (int i = shape.size() - 1; i >= 0; i--) {
        description.putLong(shape.get(i));
      }
      description.putInt(type.number()).putLong(offset);
      descriptions.add(bytes);
      offset += tensor.bytes() + GgufFile.padding(tensor.bytes(), alignment);
    }
    return descriptions;
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
