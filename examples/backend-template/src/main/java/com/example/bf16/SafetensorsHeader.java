package com.example.bf16;

import dev.kvant.api.ElementType;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** The beginning of a file of safetensors: the length of a JSON header, and the header. */
final class SafetensorsHeader {

  private SafetensorsHeader() {}

  /**
   * @param tensors what will be written, in order
   * @param types what their elements will be
   */
  static byte[] of(Map<String, StoredTensor> tensors, Map<String, ElementType> types) {
    StringJoiner members = new StringJoiner(",", "{", "}");
    long offset = 0;
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      ElementType type = types.get(entry.getKey());
      long end = offset + entry.getValue().elements() * type.bytes();
      members.add(
          "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(
                  entry.getKey().replace("\\", "\\\\").replace("\"", "\\\""),
                  name(type),
                  entry.getValue().shape(),
                  offset,
                  end));
      offset = end;
    }
    byte[] json = members.toString().getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + json.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  private static String name(ElementType type) {
    return switch (type.label()) {
      case "bfloat16" -> "BF16";
      case "float8_e4m3fn" -> "F8_E4M3";
      case "float8_e5m2" -> "F8_E5M2";
      case "bool" -> "BOOL";
      default ->
          type.label().toUpperCase(Locale.ROOT).replaceFirst("^(F|I|U)[A-Z]*?(\\d+)$", "$1$2");
    };
  }
}
