package dev.kvant.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Puts files together byte by byte, right ones and wrong ones. */
final class Bytes {

  private final ByteArrayOutputStream content = new ByteArrayOutputStream();

  /** A file's magic number, version and counts. */
  static Bytes header(int version, long tensors, long entries) {
    return new Bytes().text8("GGUF").int32(version).int64(tensors).int64(entries);
  }

  /** One tensor of 8 floats at an offset, without its bytes. */
  static Bytes tensor(String name, long offset) {
    return new Bytes().text(name).int32(1).int64(8).int32(0).int64(offset);
  }

  Bytes int8(int value) {
    content.write(value);
    return this;
  }

  Bytes int32(int value) {
    return put(littleEndian(Integer.BYTES).putInt(value).array());
  }

  Bytes int64(long value) {
    return put(littleEndian(Long.BYTES).putLong(value).array());
  }

  /** A text with its length. */
  Bytes text(String text) {
    return int64(text.getBytes(StandardCharsets.UTF_8).length).text8(text);
  }

  /** A text without its length. */
  Bytes text8(String text) {
    return put(text.getBytes(StandardCharsets.UTF_8));
  }

  Bytes put(byte... bytes) {
    content.writeBytes(bytes);
    return this;
  }

  Bytes put(Bytes other) {
    return put(other.content.toByteArray());
  }

  /** Zeros up to a multiple of 32, and some more. */
  Bytes padded(int more) {
    return put(new byte[(32 - content.size() % 32) % 32 + more]);
  }

  Path in(Path folder) throws IOException {
    return Files.write(folder.resolve("model.gguf"), content.toByteArray());
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
