package dev.kvant.backend.gguf.checkpoint;

import dev.kvant.api.ModelFormatException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The vocabulary in a {@code tokenizer.model} of SentencePiece: field 1 of a message of protobuf,
 * repeated, with a text, a score and a type. Field 3 says how text is normalized.
 *
 * @param pieces the tokens in their order
 * @param addsPrefix whether a blank is put before a text
 */
record SentencePieces(List<Piece> pieces, boolean addsPrefix) {

  private static final int PIECES = 1;
  private static final int NORMALIZER = 3;
  private static final int NORMAL = 1;

  /**
   * A token.
   *
   * @param type as in GGUF files, which number types as SentencePiece does
   */
  record Piece(String text, float score, int type) {}

  /**
   * Reads a vocabulary.
   *
   * @throws ModelFormatException if it cannot be read or is damaged
   */
  static SentencePieces read(Path file) {
    List<Piece> pieces = new ArrayList<>();
    boolean addsPrefix = true;
    Json.checkSize(file);
    try {
      ByteBuffer message = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      while (message.hasRemaining()) {
        int tag = (int) varint(message);
        if (tag >>> 3 == PIECES && (tag & 7) == 2) {
          pieces.add(piece(nested(message)));
        } else if (tag >>> 3 == NORMALIZER && (tag & 7) == 2) {
          addsPrefix = addsPrefix(nested(message));
        } else {
          skip(message, tag & 7);
        }
      }
    } catch (IOException | BufferUnderflowException | IllegalArgumentException e) {
      throw new ModelFormatException(
          "%s is not a vocabulary of SentencePiece: %s; download it again".formatted(file, e), e);
    }
    return new SentencePieces(pieces, addsPrefix);
  }

  private static Piece piece(ByteBuffer message) {
    String text = "";
    float score = 0;
    int type = NORMAL;
    while (message.hasRemaining()) {
      int tag = (int) varint(message);
      switch (tag) {
        case 1 << 3 | 2 -> text = StandardCharsets.UTF_8.decode(nested(message)).toString();
        case 2 << 3 | 5 -> score = message.getFloat();
        case 3 << 3 -> type = (int) varint(message);
        default -> skip(message, tag & 7);
      }
    }
    return new Piece(text, score, type);
  }

  private static boolean addsPrefix(ByteBuffer message) {
    boolean addsPrefix = true;
    while (message.hasRemaining()) {
      int tag = (int) varint(message);
      if (tag == 3 << 3) {
        addsPrefix = varint(message) != 0;
      } else {
        skip(message, tag & 7);
      }
    }
    return addsPrefix;
  }

  private static long varint(ByteBuffer message) {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte part = message.get();
      value |= (part & 0x7FL) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number has more than 10 bytes");
  }

  private static ByteBuffer nested(ByteBuffer message) {
    long length = varint(message);
    if (length < 0 || length > message.remaining()) {
      throw new BufferUnderflowException();
    }
    ByteBuffer nested =
        message.slice(message.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
    message.position(message.position() + (int) length);
    return nested;
  }

  private static void skip(ByteBuffer message, int wireType) {
    switch (wireType) {
      case 0 -> varint(message);
      case 1 -> message.getLong();
      case 2 -> nested(message);
      case 5 -> message.getInt();
      default -> throw new IllegalArgumentException("wire type " + wireType);
    }
  }
}
