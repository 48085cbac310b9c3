package dev.kvant.backend.onnx.weights;

import dev.kvant.api.Granularity;
import dev.kvant.numerics.BlockQuantizer;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * A matrix as {@code MatMulNBits} wants it: one row of codes per output channel, cut into blocks
 * with a scale each, two codes of 4 bits in a byte with the earlier one in its lower half.
 *
 * @since 0.1.0
 */
public final class BlockWeight implements Content, WeightResult {

  private final StoredTensor source;
  private final boolean channelsFirst;
  private final int channels;
  private final int length;
  private final int bits;
  private final int blockSize;
  private final BlockQuantizer quantizer;
  private final float[] scales;
  private QuantizationError error = QuantizationError.NONE;

  private BlockWeight(StoredTensor source, boolean channelsFirst, int bits, int blockSize) {
    this.source = source;
    this.channelsFirst = channelsFirst;
    this.channels = Math.toIntExact(source.dims().get(channelsFirst ? 0 : 1));
    this.length = Math.toIntExact(source.dims().get(channelsFirst ? 1 : 0));
    this.bits = bits;
    this.blockSize = blockSize;
    this.quantizer = new BlockQuantizer(bits);
    this.scales = new float[Math.multiplyExact(channels, blocks())];
  }

  /**
   * Finds the scales of a matrix of float32.
   *
   * @param channelsFirst whether output channels are rows rather than columns
   * @throws NonFiniteValueException if a weight is NaN or infinite
   */
  public static BlockWeight of(
      StoredTensor source, boolean channelsFirst, int bits, int blockSize) {
    BlockWeight weight = new BlockWeight(source, channelsFirst, bits, blockSize);
    int step = weight.channelsAtOnce();
    for (int from = 0; from < weight.channels; from += step) {
      int count = Math.min(step, weight.channels - from);
      float[] values = weight.load(from, count);
      for (int channel = 0; channel < count; channel++) {
        weight.findScales(values, channel, from + channel);
      }
    }
    return weight;
  }

  private void findScales(float[] values, int row, int channel) {
    for (int block = 0; block < blocks(); block++) {
      int start = row * length + block * blockSize;
      int end = row * length + Math.min(length, (block + 1) * blockSize);
      try {
        scales[channel * blocks() + block] = quantizer.scale(values, start, end);
      } catch (NonFiniteValueException e) {
        long inChannel = e.index() - (long) row * length;
        long index =
            channelsFirst ? (long) channel * length + inChannel : inChannel * channels + channel;
        throw new NonFiniteValueException(index, e.value());
      }
    }
  }

  /** How many channels fit into one block of reading. */
  private int channelsAtOnce() {
    return Math.max(1, BLOCK_BYTES / Float.BYTES / length);
  }

  /** Some channels, each in a row. */
  private float[] load(int firstChannel, int count) {
    float[] values = new float[Math.multiplyExact(count, length)];
    if (channelsFirst) {
      floats((long) firstChannel * length, values.length).get(values);
      return values;
    }
    for (int i = 0; i < length; i++) {
      FloatBuffer row = floats((long) i * channels + firstChannel, count);
      for (int channel = 0; channel < count; channel++) {
        values[channel * length + i] = row.get(channel);
      }
    }
    return values;
  }

  private FloatBuffer floats(long from, int count) {
    return source
        .content()
        .read(from * Float.BYTES, Math.multiplyExact(count, Float.BYTES))
        .asFloatBuffer();
  }

  public int channels() {
    return channels;
  }

  public int length() {
    return length;
  }

  public int blocks() {
    return (length + blockSize - 1) / blockSize;
  }

  public int bytesPerBlock() {
    return blockSize * bits / 8;
  }

  public float[] scales() {
    return scales;
  }

  private int bytesPerChannel() {
    return Math.multiplyExact(blocks(), bytesPerBlock());
  }

  @Override
  public QuantizationError error() {
    return error;
  }

  @Override
  public Granularity granularity() {
    return Granularity.group(blockSize);
  }

  @Override
  public long savedBytes() {
    return source.content().bytes() - bytes() - (long) scales.length * Float.BYTES;
  }

  @Override
  public long bytes() {
    return Math.multiplyExact((long) channels, bytesPerChannel());
  }

  @Override
  public ByteBuffer read(long from, int count) {
    int first = (int) (from / bytesPerChannel());
    int last = (int) ((from + count - 1) / bytesPerChannel());
    ByteBuffer codes = encode(first, last - first + 1);
    int offset = Math.toIntExact(from - (long) first * bytesPerChannel());
    return codes.slice(offset, count).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void forEachBlock(BlockConsumer consumer) {
    error = QuantizationError.NONE;
    int step = channelsAtOnce();
    for (int from = 0; from < channels; from += step) {
      int count = Math.min(step, channels - from);
      consumer.accept((long) from * bytesPerChannel(), encode(from, count));
    }
  }

  private ByteBuffer encode(int firstChannel, int count) {
    float[] values = load(firstChannel, count);
    byte[] codes = new byte[Math.multiplyExact(count, bytesPerChannel())];
    double signal = 0;
    double quantizedSignal = 0;
    double noise = 0;
    for (int channel = 0; channel < count; channel++) {
      for (int i = 0; i < blocks() * blockSize; i++) {
        float scale = scales[(firstChannel + channel) * blocks() + i / blockSize];
        // What fills up the last block is never multiplied with anything.
        float value = i < length ? values[channel * length + i] : 0;
        int code = quantizer.encode(value, scale);
        int position = channel * bytesPerChannel() + i * bits / 8;
        codes[position] |= (byte) (bits == 4 && i % 2 == 1 ? code << 4 : code);
        double restored = quantizer.decode(code, scale);
        signal += (double) value * value;
        quantizedSignal += restored * restored;
        noise += (value - restored) * (value - restored);
      }
    }
    error = error.plus(new QuantizationError(signal, quantizedSignal, noise));
    return ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
