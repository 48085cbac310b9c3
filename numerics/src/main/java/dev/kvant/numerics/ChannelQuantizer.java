package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Quantizes a tensor symmetrically with one scale per channel of any axis, as ONNX Runtime does.
 *
 * <p>A tensor of shape {@code [d0, d1, …]} whose channels lie along axis {@code a} is seen as
 * {@code [outer, channels, inner]} with {@code inner} the product of the dimensions behind {@code
 * a}; one channel makes it per tensor. It is handed over in blocks of any size: little-endian
 * values of the weights' type between a buffer's position and limit, which are left as they are,
 * with the index of the first of them in row-major order.
 *
 * <p>Instances are immutable and safe for use by several threads.
 *
 * @since 0.1.0
 */
public final class ChannelQuantizer {

  private final FloatType weights;
  private final QuantizedType codes;
  private final int channels;
  private final long inner;

  /**
   * Creates a quantizer.
   *
   * @param weights the type of the weights, and of the scales
   * @param codes the type to quantize to
   * @param channels how many channels there are, at least 1
   * @param inner how many consecutive elements belong to one channel, at least 1
   * @throws IllegalArgumentException if there is no channel or it has no elements
   */
  public ChannelQuantizer(FloatType weights, QuantizedType codes, int channels, long inner) {
    this.weights = Objects.requireNonNull(weights, "weights");
    this.codes = Objects.requireNonNull(codes, "codes");
    if (channels < 1 || inner < 1) {
      throw new IllegalArgumentException(
          "channels and inner must be at least 1, were " + channels + " and " + inner);
    }
    this.channels = channels;
    this.inner = inner;
  }

  /**
   * Raises each channel's entry to its largest magnitude in a block.
   *
   * @param block a block of weights
   * @param firstElement the index of its first element in the tensor
   * @param amax one entry per channel, 0 before the first block
   * @throws NonFiniteValueException if a weight is NaN or infinite
   * @throws IllegalArgumentException if {@code amax} has another length
   */
  public void amax(ByteBuffer block, long firstElement, float[] amax) {
    checkLength("amax", amax);
    ByteBuffer source = littleEndian(block);
    forEachRun(
        source,
        firstElement,
        (channel, from, to) -> {
          float largest = amax[channel];
          for (int i = from; i < to; i++) {
            float value = weights.get(source, i);
            if (!Float.isFinite(value)) {
              throw new NonFiniteValueException(firstElement + i, value);
            }
            largest = Math.max(largest, Math.abs(value));
          }
          amax[channel] = largest;
        });
  }

  /**
   * Returns the scale for weights of magnitude up to {@code amax}: the real value of one unit of
   * the code.
   *
   * <p>int8: {@code amax / 127}, in float64, rounded to the weights' type; 1 where that is below
   * 2<sup>-126</sup>, the smallest normal float32 (2<sup>-24</sup> for float16). Source: {@code
   * compute_scale_zp} of onnxruntime.quantization 1.32 with the range -127 to 127. float8: {@code
   * amax / max} with {@code max} 448 for e4m3fn and 57344 for e5m2, 1 under the same condition.
   *
   * @param amax the largest magnitude, finite and not negative
   * @return the scale, finite and positive
   * @throws IllegalArgumentException if {@code amax} is negative, NaN or infinite
   */
  public float scale(float amax) {
    if (!(amax >= 0 && amax <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("amax must be finite and not negative, was " + amax);
    }
    float scale = weights.round((float) ((double) amax / codes.max()));
    float smallest = weights == FloatType.FLOAT16 ? 0x1p-24f : Float.MIN_NORMAL;
    return scale < smallest ? 1 : scale;
  }

  /**
   * Quantizes a block.
   *
   * <p>int8: {@code q = clamp(rint(w / scale), -128, 127)}. float8: {@code q = cast(clamp(w /
   * scale, -max, max))}. The quotient is rounded to float32; {@code rint} and {@code cast} round
   * half to even. Source: {@code quantize_nparray} of onnxruntime.quantization 1.32.
   *
   * @param block a block of weights
   * @param firstElement the index of its first element in the tensor
   * @param scales one per channel, positive
   * @param target takes one byte per weight from its position on; its position is left as it is
   * @return how far {@code q * scale} is from the weights
   * @throws IllegalArgumentException if {@code scales} has another length or {@code target} is too
   *     small
   */
  public QuantizationError quantize(
      ByteBuffer block, long firstElement, float[] scales, ByteBuffer target) {
    checkLength("scales", scales);
    ByteBuffer source = littleEndian(block);
    int elements = source.remaining() / weights.bytes();
    if (target.remaining() < elements) {
      throw new IllegalArgumentException(
          "target must have room for " + elements + " bytes, but has " + target.remaining());
    }
    int start = target.position();
    float max = codes.max();
    double[] sums = new double[3];
    forEachRun(
        source,
        firstElement,
        (channel, from, to) -> {
          float scale = scales[channel];
          for (int i = from; i < to; i++) {
            float value = weights.get(source, i);
            float scaled = value / scale;
            if (codes != QuantizedType.INT8) {
              scaled = Math.max(-max, Math.min(max, scaled));
            }
            byte code = codes.encode(scaled);
            target.put(start + i, code);
            double restored = codes.decode(code) * scale;
            sums[0] += (double) value * value;
            sums[1] += restored * restored;
            sums[2] += (value - restored) * (value - restored);
          }
        });
    return new QuantizationError(sums[0], sums[1], sums[2]);
  }

  @FunctionalInterface
  private interface RunConsumer {
    void accept(int channel, int from, int to);
  }

  /** Cuts a block into runs of elements of one channel. */
  private void forEachRun(ByteBuffer source, long firstElement, RunConsumer consumer) {
    int elements = source.remaining() / weights.bytes();
    int channel = (int) (firstElement / inner % channels);
    long rest = inner - firstElement % inner;
    for (int from = 0; from < elements; ) {
      int to = (int) Math.min(elements, from + rest);
      consumer.accept(channel, from, to);
      from = to;
      rest = inner;
      channel = channel + 1 == channels ? 0 : channel + 1;
    }
  }

  private void checkLength(String name, float[] array) {
    if (array.length != channels) {
      throw new IllegalArgumentException(
          name + " must have " + channels + " entries, but has " + array.length);
    }
  }

  private static ByteBuffer littleEndian(ByteBuffer buffer) {
    return buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
  }
}
