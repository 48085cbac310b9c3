package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.QuantizedType;
import java.nio.ByteBuffer;

/**
 * Float4 in groups, two codes in a byte, the first in the low half. Source: compressed-tensors
 * 0.20, {@code calculate_qparams}, {@code generate_mx_scales} and the kernel of {@code quantize}.
 *
 * <p>NVFP4: the scale of a group is {@code e4m3(globalScale * (amax / 6))}, 0.125 where that is 0;
 * {@code q = float4(w / (scale / globalScale))}. {@code globalScale = 2688 / amax} of the whole
 * weight, in the type of the weight. Float16 ends at 65504, which {@code amax} below 0.042 exceeds;
 * the scales of such a weight are computed in float32, where compressed-tensors stores 1.
 *
 * <p>NVFP4 in ModelOpt's layout: {@code globalScale = amax / (448 * 6)} of the whole weight, the
 * scale of a group is {@code e4m3(clamp(amax / (6 * globalScale), 2^-9, 448))}, 1 where {@code
 * amax} is 0; {@code q = float4(w / (scale * globalScale))}, in float32. Source: ModelOpt 0.47,
 * {@code NVFP4QTensor}.
 *
 * <p>MXFP4: the scale of a group is {@code 2^(e-127)}, stored as {@code e = 127 + exponent(amax) -
 * 2}, with the exponent raised by 1 if the significand of {@code amax} is 1.75 or more; {@code q =
 * float4(w / scale)}.
 */
final class Float4Rows implements RowCodec {

  /** What the largest scales and codes span: 448 times 6. */
  private static final float SPANNED = 448 * 6;

  private static final QuantizedType FLOAT8 = QuantizedType.FLOAT8_E4M3FN;
  private static final float SMALLEST_SCALE = 0.125f;
  private static final float SMALLEST_FLOAT8 = 0x1p-9f;

  private final Numbers numbers;
  private final int columns;
  private final FloatType type;
  private final ScaleType scaleType;
  private final Layout layout;
  private final boolean searches;
  private final float globalScale;

  /**
   * For one weight.
   *
   * @param globalScale what all scales of NVFP4 share, see {@link #globalScale}; 1 for MXFP4
   */
  Float4Rows(
      Scheme scheme,
      FloatType type,
      Layout layout,
      int columns,
      boolean searches,
      float globalScale) {
    this.numbers = scheme.numbers();
    this.columns = columns;
    this.type = type;
    this.scaleType = ScaleType.ofWeight(isBeyond(type, globalScale) ? FloatType.FLOAT32 : type);
    this.layout = layout;
    this.searches = searches;
    this.globalScale = globalScale;
  }

  /**
   * What all scales of NVFP4 share for values of magnitude up to {@code amax}: what they are
   * divided by, or in ModelOpt's layout multiplied by.
   */
  static float globalScale(FloatType type, Layout layout, float amax) {
    if (layout == Layout.MODELOPT) {
      return amax < Float.MIN_NORMAL * SPANNED ? 1 : amax / SPANNED;
    }
    float scale = quotient(ScaleType.ofWeight(type), amax);
    if (!Float.isFinite(scale)) {
      scale = quotient(ScaleType.ofWeight(FloatType.FLOAT32), amax);
    }
    return Float.isFinite(scale) ? scale : 1;
  }

  /** A product with the reciprocal, which is what PyTorch makes of such a quotient. */
  private static float quotient(ScaleType scaleType, float amax) {
    float reciprocal = scaleType.round(1 / Math.max(amax, scaleType.tiny()));
    return scaleType.round(reciprocal * SPANNED);
  }

  /** Whether a scale is larger than a type's largest value. */
  private static boolean isBeyond(FloatType type, float scale) {
    return !Float.isFinite(type.round(scale));
  }

  @Override
  public Rows encode(ByteBuffer source, int rows) {
    float[] values = ScaleType.values(type, source);
    float[] restored = new float[values.length];
    int width = columns / groups();
    byte[] packed = new byte[values.length / 2];
    byte[] scales = new byte[values.length / width];
    for (int group = 0; group < scales.length; group++) {
      int from = group * width;
      float amax = amax(values, from, from + width);
      byte stored = stored(amax);
      if (searches) {
        float share =
            ScaleSearch.share(
                part -> error(values, from, from + width, scale(stored(amax * part))));
        stored = stored(amax * share);
      }
      scales[group] = stored;
      float scale = scale(stored);
      for (int i = from; i < from + width; i++) {
        int code = Float4.code(values[i] / scale);
        restored[i] = Float4.value(code) * scale;
        packed[i / 2] |= (byte) (code << (i % 2 * 4));
      }
    }
    return Rows.of(packed, scales, new byte[0], QuantizationError.between(values, restored));
  }

  private int groups() {
    return columns / (numbers == Numbers.NVFP4 ? 16 : 32);
  }

  private static float amax(float[] values, int from, int to) {
    float amax = 0;
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new NonFiniteValueException(i, values[i]);
      }
      amax = Math.max(amax, Math.abs(values[i]));
    }
    return amax;
  }

  /** The scale of a group as it is stored. */
  private byte stored(float amax) {
    if (layout == Layout.MODELOPT) {
      float scale = amax / (numbers.range() * globalScale);
      float nonzero = scale == 0 ? 1 : scale;
      return FLOAT8.encode(Math.max(SMALLEST_FLOAT8, Math.min(FLOAT8.max(), nonzero)));
    }
    if (numbers == Numbers.NVFP4) {
      float scale = globalScale * scaleType.round(amax / numbers.range());
      byte code = FLOAT8.encode(Math.min(scale, FLOAT8.max()));
      return FLOAT8.decode(code) == 0 ? FLOAT8.encode(SMALLEST_SCALE) : code;
    }
    // Adding a quarter of the distance to the next power of two carries from 1.75 on.
    int carried = Float.floatToRawIntBits(amax) + (1 << 21);
    return (byte) Math.max(0, (carried >>> 23) - 2);
  }

  /** What the values of a group are divided by. */
  private float scale(byte stored) {
    if (layout == Layout.MODELOPT) {
      return FLOAT8.decode(stored) * globalScale;
    }
    return numbers == Numbers.NVFP4
        ? FLOAT8.decode(stored) / globalScale
        : Math.scalb(1f, Byte.toUnsignedInt(stored) - 127);
  }

  private static double error(float[] values, int from, int to, float scale) {
    double error = 0;
    for (int i = from; i < to; i++) {
      double difference = values[i] - Float4.value(Float4.code(values[i] / scale)) * scale;
      error += difference * difference;
    }
    return error;
  }
}
