package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.api.Granularity;
import java.util.Objects;

/**
 * How the weight of a module is stored, and what an engine does to the module's input.
 *
 * @param numbers what the weight is quantized to
 * @param granularity which of its values share a scale
 * @param quantizesInput whether an engine quantizes the input to the same numbers, with ranges that
 *     it finds at run time
 * @since 0.1.0
 */
public record Scheme(Numbers numbers, Granularity granularity, boolean quantizesInput) {

  public Scheme {
    Objects.requireNonNull(numbers, "numbers");
    if (!numbers.has(granularity)) {
      throw new IllegalArgumentException(
          "%s has no scales for %s".formatted(numbers.dtype(), granularity));
    }
    if (quantizesInput && numbers.bits() != 8) {
      throw new IllegalArgumentException("inputs are not quantized to " + numbers.dtype());
    }
  }

  /** How the weight is stored, as compressed-tensors calls it. */
  public String format() {
    return switch (numbers) {
      case INT8 -> quantizesInput ? "int-quantized" : "pack-quantized";
      case INT4, UINT4 -> "pack-quantized";
      case FP8 -> quantizesInput ? "float-quantized" : "naive-quantized";
      case NVFP4 -> "nvfp4-pack-quantized";
      case MXFP4 -> "mxfp4-pack-quantized";
    };
  }

  /** Whether integers are packed into words of 32 bits. */
  boolean isPackedIntoWords() {
    return format().equals("pack-quantized");
  }

  /** How many values of a row share a scale. */
  int columnsOfScale(int columns) {
    if (granularity instanceof Granularity.PerGroup group) {
      return group.size();
    }
    return granularity instanceof Granularity.PerBlock block ? block.columns() : columns;
  }

  /** How many rows share a scale. */
  int rowsOfScale() {
    return granularity instanceof Granularity.PerBlock block ? block.rows() : 1;
  }
}
