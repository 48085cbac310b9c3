package dev.kvant.torch;

/**
 * The runtime of TorchScript archives, and the versions since which it has what artifacts use. The
 * versions are the oldest whose libraries were looked at and have it.
 *
 * @since 0.1.0
 */
public final class Libtorch {

  /** Its name. */
  public static final String NAME = "libtorch";

  /** The oldest that was looked at; it converts and multiplies tensors. */
  public static final String OLDEST = "1.13";

  /** Has the float8 types. */
  public static final String WITH_FLOAT8 = "2.2";

  /** Has products of quantized inputs and packed int8 weights with floating-point results. */
  public static final String WITH_PACKED_PRODUCTS = "2.0";

  /** Has convolutions of quantized inputs and packed int8 weights with floating-point results. */
  public static final String WITH_PACKED_CONVOLUTIONS = "2.7";

  /** Has products of bfloat16 inputs and int8 weights. */
  public static final String WITH_INT8PACK = "2.3";

  private Libtorch() {}
}
