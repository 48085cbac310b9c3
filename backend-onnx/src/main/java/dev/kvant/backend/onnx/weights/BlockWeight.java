package dev.kvant.backend.onnx.weights;

import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.kit.Distributions;
import dev.kvant.kit.Workers;
import dev.kvant.numerics.BlockQuantizer;
import dev.kvant.numerics.BlockStep;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A matrix as {@code MatMulNBits} and {@code GatherBlockQuantized} store it: one row of codes per
 * output channel, cut into blocks with a scale each, and a zero point each if they are asymmetric.
 * Two codes or zero points of 4 bits share a byte, the earlier one in its lower half.
 *
 * @since 0.1.0
 */
public final class BlockWeight implements Content, WeightResult {

  /** How many rows one thread searches at once. */
  private static final int ROWS = 32;

  private final MatrixRows rows;
  private final BlockFormat format;
  private final BlockQuantizer quantizer;
  private final BlockStep[] steps;

  /** The codes of all weights, each in a byte, if they are not those nearest to the weights. */
  private final byte @Nullable [] chosen;

  private QuantizationError error = QuantizationError.NONE;

  private BlockWeight(
      MatrixRows rows, BlockFormat format, BlockStep[] steps, byte @Nullable [] chosen) {
    this.rows = rows;
    this.format = format;
    this.quantizer = format.quantizer();
    this.steps = steps;
    this.chosen = chosen;
  }

  /**
   * Finds the scales and zero points of a matrix.
   *
   * @param channelsFirst whether output channels are rows rather than columns
   * @param encoder how they are chosen
   * @param parallelism how many threads search for them
   * @throws NonFiniteValueException if a weight is NaN or infinite
   */
  public static BlockWeight of(
      StoredTensor source, boolean channelsFirst, BlockEncoder encoder, int parallelism) {
    MatrixRows rows = new MatrixRows(source, channelsFirst);
    int blocks = encoder.format().blocks(rows.length());
    BlockStep[] steps = new BlockStep[Math.multiplyExact(rows.count(), blocks)];
    byte @Nullable [] chosen =
        encoder.choosesCodes() ? new byte[Math.multiplyExact(rows.count(), rows.length())] : null;
    int atOnce = Math.min(ROWS, rows.atOnce());
    try (Workers<Boolean> workers = new Workers<>(parallelism, () -> true)) {
      for (int from = 0; from < rows.count(); from += atOnce) {
        int first = from;
        int count = Math.min(atOnce, rows.count() - from);
        workers.submit(
            any -> {
              BlockStep[] found = new BlockStep[count * blocks];
              byte[] codes = new byte[chosen == null ? 0 : count * rows.length()];
              try {
                encoder.encode(rows.read(first, count), rows.length(), found, codes);
              } catch (NonFiniteValueException e) {
                throw rows.located(e, first);
              }
              System.arraycopy(found, 0, steps, first * blocks, found.length);
              if (chosen != null) {
                System.arraycopy(codes, 0, chosen, first * rows.length(), codes.length);
              }
            });
      }
      workers.finish();
    }
    return new BlockWeight(rows, encoder.format(), steps, chosen);
  }

  /** How this is stored. */
  public BlockFormat format() {
    return format;
  }

  public int channels() {
    return rows.count();
  }

  public int length() {
    return rows.length();
  }

  public int blocks() {
    return format.blocks(length());
  }

  /** The shape of the codes for {@code MatMulNBits}: channels, blocks, bytes of a block. */
  public List<Long> blockShape() {
    return List.of((long) channels(), (long) blocks(), (long) bytesPerBlock());
  }

  /**
   * The shape of the codes for {@code GatherBlockQuantized}: rows, bytes of a row. For formats that
   * {@link BlockFormat#holdsRowsOf hold} such rows.
   */
  public List<Long> rowShape() {
    return List.of((long) channels(), (long) bytesPerChannel());
  }

  private int bytesPerBlock() {
    return format.blockSize() * format.bits() / 8;
  }

  /** The scales, channel by channel. */
  public float[] scales() {
    float[] scales = new float[steps.length];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = steps[i].scale();
    }
    return scales;
  }

  /**
   * The zero points, channel by channel, each of which begins with a byte of its own. What fills up
   * the last byte of a channel is the middle of the codes, as ONNX Runtime's quantizer has it.
   */
  public byte[] zeroPoints() {
    int bytes = zeroPointBytes();
    byte[] packed = new byte[channels() * bytes];
    if (format.bits() == 4) {
      Arrays.fill(packed, (byte) 0x88);
    }
    for (int channel = 0; channel < channels(); channel++) {
      for (int block = 0; block < blocks(); block++) {
        int zeroPoint = steps[channel * blocks() + block].zeroPoint();
        int position = channel * bytes + block * format.bits() / 8;
        packed[position] = packed(packed[position], zeroPoint, block);
      }
    }
    return packed;
  }

  /** How many bytes the zero points of a channel take. */
  public int zeroPointBytes() {
    return (blocks() * format.bits() + 7) / 8;
  }

  /** A byte with a code in the place of the one with that index. */
  private byte packed(byte current, int code, int index) {
    if (format.bits() == 8) {
      return (byte) code;
    }
    return (byte) (index % 2 == 0 ? (current & 0xF0) | code : (current & 0x0F) | code << 4);
  }

  private int bytesPerChannel() {
    return Math.multiplyExact(blocks(), bytesPerBlock());
  }

  @Override
  public QuantizationError error() {
    return error;
  }

  @Override
  public Optional<Distribution> distribution() {
    float low = 0;
    float high = 0;
    int largest = (1 << format.bits()) - 1;
    for (BlockStep step : steps) {
      float first = quantizer.decode(0, step);
      float last = quantizer.decode(largest, step);
      low = Math.min(low, Math.min(first, last));
      high = Math.max(high, Math.max(first, last));
    }
    float smallest = Math.max(low, -Float.MAX_VALUE);
    float largestHeld = Math.min(high, Float.MAX_VALUE);
    return Distributions.ofWeight(
        rows::elements, (long) channels() * length(), new ValueRange(smallest, largestHeld));
  }

  @Override
  public Granularity granularity() {
    return Granularity.group(format.blockSize());
  }

  @Override
  public long savedBytes() {
    long zeroPoints = format.symmetric() ? 0 : (long) channels() * zeroPointBytes();
    return rows.bytes() - bytes() - (long) steps.length * Float.BYTES - zeroPoints;
  }

  @Override
  public long bytes() {
    return Math.multiplyExact((long) channels(), bytesPerChannel());
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
    for (int from = 0; from < channels(); from += rows.atOnce()) {
      int count = Math.min(rows.atOnce(), channels() - from);
      consumer.accept((long) from * bytesPerChannel(), encode(from, count));
    }
  }

  private ByteBuffer encode(int firstChannel, int count) {
    float[] values = rows.read(firstChannel, count);
    byte[] codes = new byte[Math.multiplyExact(count, bytesPerChannel())];
    double signal = 0;
    double quantizedSignal = 0;
    double noise = 0;
    for (int channel = 0; channel < count; channel++) {
      // The last block may be longer than what is left of the channel; the rest stays zero.
      for (int i = 0; i < length(); i++) {
        BlockStep step = steps[(firstChannel + channel) * blocks() + i / format.blockSize()];
        float value = values[channel * length() + i];
        int code =
            chosen == null
                ? quantizer.encode(value, step)
                : chosen[(firstChannel + channel) * length() + i] & 0xFF;
        int position = channel * bytesPerChannel() + i * format.bits() / 8;
        codes[position] = packed(codes[position], code, i);
        double restored = quantizer.decode(code, step);
        signal += (double) value * value;
        quantizedSignal += restored * restored;
        noise += (value - restored) * (value - restored);
      }
    }
    error = error.plus(new QuantizationError(signal, quantizedSignal, noise));
    return ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
