package dev.kvant.backend.modelopt;

import dev.kvant.api.Granularity;
import dev.kvant.api.QuantizationException;
import dev.kvant.kit.WeightRanges;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.torch.tensor.ChannelLayout;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * How the values of one operand of one module are quantized.
 *
 * @param grid what they are quantized to, one of the symmetric ones
 * @param amax the magnitude at which the grid ends, for each channel or for all
 * @param shape the shape of {@code amax} as a tensor that is broadcast against the values: {@code
 *     []} for one of all, {@code [N, 1, …]} for one of each output channel
 */
@SuppressWarnings("ArrayRecordComponent") // as many as a weight has channels, read in loops
record OperandQuantization(Grid grid, float[] amax, List<Long> shape) {

  OperandQuantization {
    Objects.requireNonNull(grid, "grid");
    shape = List.copyOf(shape);
    long elements = shape.stream().reduce(1L, Math::multiplyExact);
    if (elements != amax.length) {
      throw new IllegalArgumentException(
          "amax: has %d elements, which is not the shape %s".formatted(amax.length, shape));
    }
  }

  /** One range for all values. */
  static OperandQuantization perTensor(Grid grid, float amax) {
    return new OperandQuantization(grid, new float[] {amax}, List.of());
  }

  /**
   * The range of a weight that is not empty, or of each of its channels.
   *
   * @param axis the dimension that counts channels; none for one range of all
   * @param observers makes what finds a range
   * @param threads how many threads search
   * @throws QuantizationException if an element is NaN or infinite
   * @throws dev.kvant.api.QuantizationCancelledException if the thread was interrupted
   */
  static OperandQuantization of(
      WeightValues weight,
      Grid grid,
      OptionalInt axis,
      Supplier<RangeObserver> observers,
      int threads) {
    var ranges = new WeightRanges(weight::readAny, grid, observers, threads);
    try {
      if (axis.isEmpty()) {
        return perTensor(grid, ranges.amax(weight.tensor().elements()));
      }
      ChannelLayout layout = ChannelLayout.of(weight.tensor().shape(), axis.getAsInt());
      return new OperandQuantization(
          grid,
          ranges.amax(layout.slices(), layout.channels(), layout.columns()),
          layout.scaleShape());
    } catch (NonFiniteValueException e) {
      throw weight.notFinite(e);
    }
  }

  /** The type of the codes. */
  QuantizedType type() {
    return switch (grid) {
      case INT8_SYMMETRIC -> QuantizedType.INT8;
      case FLOAT8_E4M3FN -> QuantizedType.FLOAT8_E4M3FN;
      case FLOAT8_E5M2 -> QuantizedType.FLOAT8_E5M2;
      case UINT8_ASYMMETRIC -> throw new IllegalStateException("the grid is not symmetric");
    };
  }

  /** Whether the ranges are those of the outputs of a Linear, or one of all. */
  boolean isByOutput() {
    return shape.isEmpty() || shape.get(0) == amax.length;
  }

  /** Which values share a scale. */
  Granularity granularity() {
    return shape.isEmpty()
        ? Granularity.TENSOR
        : Granularity.axis(shape.indexOf((long) amax.length));
  }

  /** The range of the largest of the magnitudes. */
  ValueRange widest() {
    float widest = 0;
    for (float each : amax) {
      widest = Math.max(widest, each);
    }
    return new ValueRange(-widest, widest);
  }

  /** Whether all values have one range. */
  boolean isPerTensor() {
    return shape.isEmpty();
  }
}
