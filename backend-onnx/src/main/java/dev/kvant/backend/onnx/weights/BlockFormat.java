package dev.kvant.backend.onnx.weights;

import dev.kvant.numerics.BlockQuantizer;

/**
 * How a weight is stored in blocks.
 *
 * @param bits the size of a code, 4 or 8
 * @param blockSize how many weights share a scale
 * @param symmetric whether blocks have no zero points of their own
 * @since 0.1.0
 */
public record BlockFormat(int bits, int blockSize, boolean symmetric) {

  /** What computes the codes. */
  public BlockQuantizer quantizer() {
    return new BlockQuantizer(bits, symmetric);
  }

  /**
   * Whether ONNX Runtime looks up rows of that length that are stored so. Rows are whole blocks,
   * and whole bytes of zero points: version 1.23 takes the zero points of other rows for its own.
   */
  public boolean holdsRowsOf(long length) {
    return length % blockSize == 0 && (symmetric || length / blockSize * bits % 8 == 0);
  }

  /** How many blocks a row of that length has. */
  int blocks(int length) {
    return (length + blockSize - 1) / blockSize;
  }
}
