package dev.kvant.backend.onnx.smooth;

import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.BlockFormat;
import dev.kvant.kit.NoRange;
import dev.kvant.numerics.ChannelSmoothing;
import dev.kvant.numerics.observer.BlockScaleSearch;
import dev.kvant.numerics.observer.ChannelStatistics;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.numerics.observer.SmoothingSearch;
import dev.kvant.numerics.observer.SmoothingSearch.Ranges;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * What a tensor is divided by and the weights behind it are multiplied by.
 *
 * @param alpha how much of the spread moves
 * @param values a factor for each channel
 */
@SuppressWarnings("ArrayRecordComponent") // never visible outside of this package
record Factors(double alpha, float[] values) {

  /** How many columns of all weights of a group the search multiplies by. */
  private static final int MOST_COLUMNS = 256;

  /**
   * The factors of a group.
   *
   * @param ranges what range the activations are quantized to
   * @return empty if smoothing removes no error, or has nothing to go by: a weight is not finite,
   *     or the activations are always zero or have masks
   */
  static Optional<Factors> of(
      SmoothGroup group,
      ChannelStatistics activations,
      Smooth smooth,
      int largestCode,
      Ranges ranges) {
    float[] amax = activations.amax();
    Weights weights = Weights.of(group);
    if (!isSmoothable(amax) || !isSmoothable(weights.amax())) {
      return Optional.empty();
    }
    Optional<Double> alpha =
        smooth.kind() == Smooth.Kind.FIXED
            ? Optional.of(smooth.alpha())
            : SmoothingSearch.best(
                    activations,
                    weights.amax(),
                    weights.columns(),
                    group.activation().setting().grid(),
                    largestCode,
                    ranges)
                .map(SmoothingSearch.Choice::alpha);
    return alpha.map(
        each -> new Factors(each, ChannelSmoothing.factors(amax, weights.amax(), each)));
  }

  /**
   * The factors of a group whose weights go into blocks.
   *
   * @param inputs the sums of the squares of the inputs, where the data is not masked
   * @return empty if factors remove no error, or there is nothing to go by
   */
  static Optional<Factors> ofBlocks(
      SmoothGroup group, ChannelStatistics activations, Gram inputs, BlockFormat format) {
    Weights weights = Weights.of(group);
    double[] squares = inputs.squares();
    if (!isSmoothable(activations.amax())
        || !isSmoothable(weights.amax())
        || Arrays.stream(squares).allMatch(square -> square == 0)) {
      return Optional.empty();
    }
    return BlockScaleSearch.best(
            activations.rows(), squares, weights.columns(), format.quantizer(), format.blockSize())
        .map(BlockScaleSearch.Choice::alpha)
        .map(alpha -> new Factors(alpha, BlockScaleSearch.factors(squares, alpha)));
  }

  /** Whether the magnitudes are finite, those of values and not of masks, and not all zero. */
  private static boolean isSmoothable(float[] magnitudes) {
    float largest = 0;
    for (float magnitude : magnitudes) {
      largest = Math.max(largest, magnitude);
    }
    return largest > 0 && largest <= NoRange.LARGEST;
  }

  /**
   * What the choice needs of the weights of a group.
   *
   * @param amax the largest magnitude for each input channel; NaN if a weight is that
   * @param columns columns of all weights, by input channel
   */
  @SuppressWarnings("ArrayRecordComponent") // never visible outside of this class
  private record Weights(float[] amax, float[][] columns) {

    static Weights of(SmoothGroup group) {
      long all = 0;
      for (Planned module : group.modules()) {
        all += outputs(module);
      }
      // Every so many columns one is taken, counted over all weights.
      long stride = (all + MOST_COLUMNS - 1) / MOST_COLUMNS;
      float[] amax = new float[group.channels()];
      float[][] columns = new float[amax.length][(int) ((all + stride - 1) / stride)];
      long first = 0;
      for (Planned module : group.modules()) {
        read(module, first, stride, amax, columns);
        first += outputs(module);
      }
      return new Weights(amax, columns);
    }

    private static long outputs(Planned module) {
      return module.weight().tensor().dims().get(module.weight().channelAxis());
    }

    private static void read(
        Planned module, long firstColumn, long stride, float[] amax, float[][] columns) {
      StoredTensor weight = module.weight().tensor();
      boolean hasInputRows = SmoothGroup.inputAxis(module) == 0;
      long width = weight.dims().get(1);
      weight
          .content()
          .forEachBlock(
              (from, block) -> {
                FloatBuffer values = block.asFloatBuffer();
                long index = from / Float.BYTES;
                int count = values.remaining();
                for (int i = 0; i < count; i++, index++) {
                  long row = index / width;
                  long column = index % width;
                  int channel = (int) (hasInputRows ? row : column);
                  long output = firstColumn + (hasInputRows ? column : row);
                  float value = values.get(i);
                  amax[channel] = Math.max(amax[channel], Math.abs(value));
                  if (output % stride == 0) {
                    columns[channel][(int) (output / stride)] = value;
                  }
                }
              });
    }
  }
}
