package dev.kvant.kit;

import dev.kvant.api.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Writes safetensors files: 8 bytes with the length of the header, the header in JSON, the tensors
 * one after the other. The header is padded with spaces to a multiple of 8 bytes, so that the
 * tensors are aligned.
 *
 * @since 0.1.0
 */
public final class SafetensorsWriter {

  private static final Map<ElementType, String> TYPES =
      Map.ofEntries(
          Map.entry(ElementType.FLOAT64, "F64"),
          Map.entry(ElementType.FLOAT32, "F32"),
          Map.entry(ElementType.FLOAT16, "F16"),
          Map.entry(ElementType.BFLOAT16, "BF16"),
          Map.entry(ElementType.FLOAT8_E4M3FN, "F8_E4M3"),
          Map.entry(ElementType.FLOAT8_E5M2, "F8_E5M2"),
          Map.entry(ElementType.INT64, "I64"),
          Map.entry(ElementType.INT32, "I32"),
          Map.entry(ElementType.INT16, "I16"),
          Map.entry(ElementType.INT8, "I8"),
          Map.entry(ElementType.UINT64, "U64"),
          Map.entry(ElementType.UINT32, "U32"),
          Map.entry(ElementType.UINT16, "U16"),
          Map.entry(ElementType.UINT8, "U8"),
          Map.entry(ElementType.BOOL, "BOOL"));

  private SafetensorsWriter() {}

  /** Whether safetensors files can hold elements of that type. */
  public static boolean supports(ElementType elementType) {
    return TYPES.containsKey(elementType);
  }

  /**
   * Writes a file.
   *
   * @param file where to, over what it holds
   * @param tensors the tensors, in the order in which to write them
   * @param progress advances as the tensors are written
   * @throws dev.kvant.api.KvantException if the file cannot be written
   * @throws IllegalArgumentException if two tensors have one name, or a type is not supported
   * @throws IllegalStateException if the content of a tensor is not as long as its shape says
   */
  public static void write(Path file, List<OutputTensor> tensors, ByteProgress progress) {
    write(file, tensors, Map.of(), progress);
  }

  /**
   * Writes a file with metadata, as readers in Python require {@code format: pt}.
   *
   * @param file where to, over what it holds
   * @param tensors the tensors, in the order in which to write them
   * @param metadata the texts of the header's entry {@code __metadata__}; without any, no entry
   * @param progress advances as the tensors are written
   * @throws dev.kvant.api.KvantException if the file cannot be written
   * @throws IllegalArgumentException if two tensors have one name, or a type is not supported
   * @throws IllegalStateException if the content of a tensor is not as long as its shape says
   */
  public static void write(
      Path file, List<OutputTensor> tensors, Map<String, String> metadata, ByteProgress progress) {
    byte[] header = header(tensors, metadata);
    try (var out = new ArtifactStream(file)) {
      out.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(header.length)
              .array(),
          0,
          Long.BYTES);
      out.write(header, 0, header.length);
      for (OutputTensor tensor : tensors) {
        tensor.writeTo(out, progress);
      }
    } catch (IOException e) {
      throw ArtifactStream.unwritable(file, e);
    }
  }

  private static byte[] header(List<OutputTensor> tensors, Map<String, String> metadata) {
    if (tensors.stream().map(OutputTensor::name).distinct().count() < tensors.size()) {
      throw new IllegalArgumentException("tensors: several have the same name");
    }
    var members = new StringJoiner(",", "{", "}");
    if (!metadata.isEmpty()) {
      var texts = new StringJoiner(",", "{", "}");
      metadata.forEach((key, value) -> texts.add(quoted(key) + ":" + quoted(value)));
      members.add("\"__metadata__\":" + texts);
    }
    long offset = 0;
    for (OutputTensor tensor : tensors) {
      String type = TYPES.get(tensor.elementType());
      if (type == null) {
        throw new IllegalArgumentException(
            "tensors: '%s' is %s, which safetensors files cannot hold"
                .formatted(tensor.name(), tensor.elementType()));
      }
      long end = offset + tensor.bytes();
      members.add(
          "%s:{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%s,%s]}"
              .formatted(quoted(tensor.name()), type, tensor.shape(), offset, end));
      offset = end;
    }
    byte[] json = members.toString().getBytes(StandardCharsets.UTF_8);
    int padding = (Long.BYTES - json.length % Long.BYTES) % Long.BYTES;
    return (members + " ".repeat(padding)).getBytes(StandardCharsets.UTF_8);
  }

  private static String quoted(String name) {
    var text = new StringBuilder("\"");
    for (int i = 0; i < name.length(); i++) {
      char character = name.charAt(i);
      if (character == '"' || character == '\\') {
        text.append('\\').append(character);
      } else if (character < ' ') {
        text.append("\\u%04x".formatted((int) character));
      } else {
        text.append(character);
      }
    }
    return text.append('"').toString();
  }
}
