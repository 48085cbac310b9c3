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
  BlockQuantizer quantizer() {
    return new BlockQuantizer(bits, symmetric);
  }

  /** How many blocks a row of that length has. */
  int blocks(int length) {
    return (length + blockSize - 1) / blockSize;
  }
}
