package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The numbers that weights are quantized to.
 *
 * @since 0.1.0
 */
public enum Numbers {
  /** Integers from -128 to 127; the range of a scale is {@code amax / 127.5}. */
  INT8(Dtype.INT8, 8, 127.5f, Granularity.CHANNEL),

  /** Integers from -8 to 7; the range of a scale is {@code amax / 7.5}. */
  INT4(Dtype.of("int4"), 4, 7.5f, Granularity.group(128)),

  /** Integers from 0 to 15 with a zero point; the range of a scale is {@code (max - min) / 15}. */
  UINT4(Dtype.of("uint4"), 4, 15, Granularity.group(128)),

  /** Float8 with 4 exponent bits; the range of a scale is {@code amax / 448}. */
  FP8(Dtype.FP8_E4M3FN, 8, 448, Granularity.CHANNEL),

  /**
   * Float4 (0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives) in groups of 16. The scale of a group
   * is a float8 number, divided by a scale of the weight.
   */
  NVFP4(Dtype.of("nvfp4"), 4, 6, Granularity.group(16)),

  /** The same float4 in groups of 32, whose scales are powers of two. */
  MXFP4(Dtype.of("mxfp4"), 4, 6, Granularity.group(32));

  @SuppressWarnings("ImmutableEnumChecker") // A record of a text.
  private final Dtype dtype;

  private final int bits;
  private final float range;

  @SuppressWarnings("ImmutableEnumChecker") // A record of numbers.
  private final Granularity usual;

  Numbers(Dtype dtype, int bits, float range, Granularity usual) {
    this.dtype = dtype;
    this.bits = bits;
    this.range = range;
    this.usual = usual;
  }

  /** The numbers of that dtype. */
  public static Optional<Numbers> of(Dtype dtype) {
    return Arrays.stream(values()).filter(numbers -> numbers.dtype.equals(dtype)).findFirst();
  }

  /** All dtypes, in the order to show them. */
  public static List<Dtype> dtypes() {
    return Arrays.stream(values()).map(Numbers::dtype).toList();
  }

  /** The name in configurations. */
  public Dtype dtype() {
    return dtype;
  }

  /** How many bits a number has. */
  public int bits() {
    return bits;
  }

  /** Whether they are floating-point numbers. */
  public boolean isFloatingPoint() {
    return this == FP8 || isFloat4();
  }

  /** Whether they are float4. */
  public boolean isFloat4() {
    return this == NVFP4 || this == MXFP4;
  }

  /** Whether zero is always the code 0. */
  public boolean isSymmetric() {
    return this != UINT4;
  }

  /** What the largest magnitude is divided by to give a scale; for UINT4, the whole range. */
  float range() {
    return range;
  }

  /** Which values share a scale where nothing is requested. */
  public Granularity usualGranularity() {
    return usual;
  }

  /** Whether weights can be stored with scales for those values. */
  public boolean has(Granularity granularity) {
    if (isFloat4()) {
      return granularity.equals(usual);
    }
    return switch (granularity.kind()) {
      case CHANNEL -> true;
      case GROUP -> this != FP8;
      case BLOCK -> this == FP8 && granularity.equals(Granularity.block(128, 128));
      case TENSOR, AXIS -> false;
    };
  }
}
