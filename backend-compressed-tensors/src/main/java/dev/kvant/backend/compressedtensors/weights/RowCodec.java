package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.numerics.QuantizationError;
import java.nio.ByteBuffer;

/** Quantizes whole rows of a weight. Several threads use one at once. */
interface RowCodec {

  /**
   * Rows on their way to a file.
   *
   * @param codes the codes as they are stored
   * @param scales the scales as they are stored
   * @param zeroPoints the code of 0 of each scale; empty if it is the same for all
   * @param error how far the stored values are from the rows
   */
  record Rows(ByteBuffer codes, ByteBuffer scales, ByteBuffer zeroPoints, QuantizationError error) {

    /** Rows from whole arrays. */
    static Rows of(byte[] codes, byte[] scales, byte[] zeroPoints, QuantizationError error) {
      return new Rows(
          ByteBuffer.wrap(codes), ByteBuffer.wrap(scales), ByteBuffer.wrap(zeroPoints), error);
    }
  }

  /**
   * Quantizes rows.
   *
   * @param source little-endian values of the weight's type, from position to limit
   * @param rows how many rows that is, 1 or more
   * @throws dev.kvant.numerics.NonFiniteValueException if a value is NaN or infinite; names its
   *     index in the source
   */
  Rows encode(ByteBuffer source, int rows);
}
