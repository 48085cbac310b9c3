package dev.kvant.backend.modelopt;

import dev.kvant.numerics.CodePairs;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The pairs of weights whose products with inputs libtorch's kernels add in 16 bits on x86-64
 * processors without VNNI.
 *
 * <p>Neighbours are input channels {@code 2j} and {@code 2j + 1} of one output at one position.
 * Kernels that order a filter by position and then by channel have other neighbours where the
 * number of channels is odd; such a filter is fitted for both. Source: {@code PackBMatrix} of
 * FBGEMM, which interleaves four rows; the weight formats {@code OIhw…4i16o4i} and {@code hwio} of
 * oneDNN 3.7.
 */
final class KernelPairs {

  /** The most weights that are read at once, unless one output has more. */
  private static final int BLOCK = 1 << 18;

  /** Covers that codes come from a product with a reciprocal, which is rounded twice. */
  private static final float REACH = 1 + 0x1p-21f;

  private final StoredTensor weight;
  private final int outputs;
  private final int channels;
  private final int positions;

  private KernelPairs(StoredTensor weight) {
    List<Long> shape = weight.shape();
    this.weight = weight;
    this.outputs = Math.toIntExact(shape.get(0));
    this.channels = Math.toIntExact(shape.get(1));
    this.positions =
        Math.toIntExact(shape.subList(2, shape.size()).stream().reduce(1L, Math::multiplyExact));
  }

  /**
   * Ranges with which no pair overflows.
   *
   * @param weight float32, {@code [outputs, inputs]} or {@code [outputs, inputs of a group, …]}
   * @param ranges its int8 ranges: one, or one for each output
   * @return the same object if none had to grow; else one for each output
   */
  static OperandQuantization fit(StoredTensor weight, OperandQuantization ranges) {
    var pairs = new KernelPairs(weight);
    float[] amax = ranges.amax().clone();
    if (amax.length == 1) {
      amax = new float[pairs.outputs];
      Arrays.fill(amax, ranges.amax()[0]);
    }
    if (!pairs.raise(amax)) {
      return ranges;
    }
    List<Long> shape = new ArrayList<>(Collections.nCopies(weight.shape().size(), 1L));
    shape.set(0, (long) pairs.outputs);
    return new OperandQuantization(ranges.grid(), amax, shape);
  }

  /** Whether any range grew. */
  private boolean raise(float[] amax) {
    int size = Math.multiplyExact(channels, positions);
    int rows = Math.max(1, BLOCK / Math.max(1, size));
    ByteBuffer block =
        ByteBuffer.allocate(Math.multiplyExact(rows * size, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    boolean grew = false;
    for (int first = 0; first < outputs; first += rows) {
      int read = Math.min(rows, outputs - first);
      block.clear().limit(read * size * Float.BYTES);
      weight.read((long) first * size, block);
      FloatBuffer values = block.rewind().asFloatBuffer();
      for (int row = 0; row < read; row++) {
        float multiplier = FakeQuantizer.of(QuantizedType.INT8, amax[first + row]).multiplier();
        if (multiplier > 0) {
          float scale = 1 / multiplier;
          float raised = raised(values, row * size, scale);
          if (raised > scale) {
            amax[first + row] = raised * QuantizedType.INT8.max();
            grew = true;
          }
        }
      }
    }
    return grew;
  }

  /** The scale with which no pair of one output overflows. */
  private float raised(FloatBuffer values, int from, float scale) {
    float raised = scale;
    for (int channel = 0; channel + 1 < channels; channel += 2) {
      int at = from + channel * positions;
      for (int position = 0; position < positions; position++) {
        raised =
            Math.max(
                raised,
                scale(values.get(at + position), values.get(at + positions + position), scale));
      }
    }
    if (channels % 2 == 1) {
      int size = channels * positions;
      for (int i = 0; i + 1 < size; i += 2) {
        raised =
            Math.max(
                raised, scale(values.get(from + place(i)), values.get(from + place(i + 1)), scale));
      }
    }
    return raised;
  }

  private static float scale(float one, float other, float scale) {
    return CodePairs.scale(REACH * one, REACH * other, scale);
  }

  /** Where an element of a filter is stored that is so far behind the first by position. */
  private int place(int at) {
    return at % channels * positions + at / channels;
  }
}
