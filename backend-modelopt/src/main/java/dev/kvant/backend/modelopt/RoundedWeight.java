package dev.kvant.backend.modelopt;

import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.torch.tensor.ChannelLayout;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A weight that is quantized as it is written, block by block. */
final class RoundedWeight {

  /** Elements of one block. */
  private static final int BLOCK = 1 << 18;

  private final String name;
  private final StoredTensor weight;
  private final ChannelLayout layout;
  private final FakeQuantizer[] quantizers;
  private @Nullable QuantizationError error;

  /**
   * A weight.
   *
   * @param name its qualified name, for progress
   * @param weight float32, float16 or bfloat16
   */
  RoundedWeight(String name, StoredTensor weight, OperandQuantization quantization) {
    this.name = name;
    this.weight = weight;
    this.layout = layout(weight.shape(), quantization);
    this.quantizers = new FakeQuantizer[quantization.amax().length];
    for (int i = 0; i < quantizers.length; i++) {
      quantizers[i] = FakeQuantizer.of(quantization.type(), quantization.amax()[i]);
    }
  }

  private static ChannelLayout layout(List<Long> shape, OperandQuantization quantization) {
    List<Long> ranges = quantization.shape();
    for (int axis = 0; axis < ranges.size(); axis++) {
      if (ranges.get(axis) > 1) {
        return ChannelLayout.of(shape, axis);
      }
    }
    return ChannelLayout.of(shape, 0);
  }

  /** The tensor as it is in the model. */
  StoredTensor weight() {
    return weight;
  }

  /** How many ranges there are. */
  int ranges() {
    return quantizers.length;
  }

  /** What the codes of a range are divided by. */
  float divisor(int range) {
    return quantizers[range].divisor();
  }

  /** How far the values that were written are from the weight; null before that. */
  @Nullable QuantizationError error() {
    return error;
  }

  /** Writes what the elements become, in their own type. */
  void writeValues(WritableByteChannel target, CopyProgress progress) throws IOException {
    FloatType type = type();
    float[] one = new float[1];
    write(
        target,
        progress,
        type.bytes(),
        (out, index, value, quantizer) -> {
          one[0] = type.round(quantizer.round(value));
          type.store(one, 1, out, index);
          return one[0];
        });
  }

  /** Writes the codes, one byte each. */
  void writeCodes(WritableByteChannel target, CopyProgress progress) throws IOException {
    write(
        target,
        progress,
        1,
        (out, index, value, quantizer) -> {
          byte code = quantizer.encode(value);
          out.put(index, code);
          return code / quantizer.divisor();
        });
  }

  private interface Element {
    /** Stores an element and tells the value that it stands for. */
    float store(ByteBuffer out, int index, float value, FakeQuantizer quantizer);
  }

  private void write(WritableByteChannel target, CopyProgress progress, int bytes, Element element)
      throws IOException {
    int size = weight.elementType().bytes();
    long elements = weight.elements();
    int block = (int) Math.min(BLOCK, elements);
    ByteBuffer in = ByteBuffer.allocate(block * size).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer out = ByteBuffer.allocate(block * bytes).order(ByteOrder.LITTLE_ENDIAN);
    QuantizationError sum = QuantizationError.NONE;
    for (long first = 0; first < elements; first += block) {
      int count = (int) Math.min(block, elements - first);
      in.clear().limit(count * size);
      weight.read(first, in);
      sum = sum.plus(convert(in, out, first, count, element));
      target.write(out.clear().limit(count * bytes));
      progress.advance((long) count * size, name);
    }
    error = sum;
  }

  private QuantizationError convert(
      ByteBuffer in, ByteBuffer out, long first, int count, Element element) {
    double signal = 0;
    double restoredSignal = 0;
    double noise = 0;
    FloatType type = type();
    for (int i = 0; i < count; ) {
      long row = (first + i) / layout.columns();
      FakeQuantizer quantizer =
          quantizers[quantizers.length == 1 ? 0 : (int) (row % layout.channels())];
      int end = (int) Math.min(count, (row + 1) * layout.columns() - first);
      for (; i < end; i++) {
        float value = type.get(in, i);
        float restored = element.store(out, i, value, quantizer);
        signal += (double) value * value;
        restoredSignal += (double) restored * restored;
        noise += ((double) value - restored) * ((double) value - restored);
      }
    }
    return new QuantizationError(signal, restoredSignal, noise);
  }

  private FloatType type() {
    return FloatType.find(weight.elementType().label()).orElseThrow();
  }
}
