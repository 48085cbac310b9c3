package dev.kvant.backend.onnx.weights;

import dev.kvant.numerics.CodePairs;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModule.Weight;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The pairs of weights whose products with activations a kernel adds in 16 bits.
 *
 * <p>Neighbours are elements {@code 2j} and {@code 2j + 1} of a column of a matrix {@code [K, N]}.
 * A filter {@code [channels, positions]} is such a column with its elements ordered by position,
 * then by channel. Source: ONNX Runtime 1.23, {@code ReorderFilter} of {@code QLinearConv} and
 * MLAS's {@code MlasGemmU8S8KernelAvx2}, {@code MlasGemmU8S8KernelAvx512Core}. Depthwise kernels
 * add in 32 bits.
 *
 * @since 0.1.0
 */
public final class KernelPairs {

  /** The most weights that are read at once, unless one row or filter has more. */
  private static final long GATHERED = 1 << 18;

  /** Columns or filters, each with a scale of its own where there are several scales. */
  private enum Layout {
    MATRIX,
    FILTERS
  }

  private final Layout layout;
  private final long count;
  private final int length;
  private final int width;

  /**
   * @param count the number of matrices or filters
   * @param length the length of a column, or the channels of a filter
   * @param width the length of a row, or the positions of a filter
   */
  private KernelPairs(Layout layout, long count, long length, long width) {
    this.layout = layout;
    this.count = count;
    this.length = Math.toIntExact(length);
    this.width = Math.toIntExact(width);
  }

  /** Those of a product; empty if its kernel adds in 32 bits. */
  public static Optional<KernelPairs> of(Node node, Weight weight) {
    List<Long> dims = weight.tensor().dims();
    int last = dims.size() - 1;
    return switch (node.opType()) {
      case "MatMul" ->
          weight.input() == 1 && last > 0
              ? Optional.of(
                  new KernelPairs(
                      Layout.MATRIX,
                      size(dims.subList(0, last - 1)),
                      dims.get(last - 1),
                      dims.get(last)))
              : Optional.empty();
      case "Gemm" -> {
        if (weight.input() != 1) {
          yield Optional.empty();
        }
        yield Optional.of(
            node.intAttribute("transB", 0) == 0
                ? new KernelPairs(Layout.MATRIX, 1, dims.get(0), dims.get(1))
                : new KernelPairs(Layout.FILTERS, dims.get(0), dims.get(1), 1));
      }
      case "Conv" -> {
        boolean isDepthwise = dims.get(1) == 1 && node.intAttribute("group", 1) == dims.get(0);
        yield isDepthwise
            ? Optional.empty()
            : Optional.of(
                new KernelPairs(
                    Layout.FILTERS, dims.get(0), dims.get(1), size(dims.subList(2, dims.size()))));
      }
      default -> Optional.empty();
    };
  }

  private static long size(List<Long> dims) {
    return dims.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
  }

  /**
   * The smallest scales, not below the given ones, with which no pair overflows, see {@link
   * CodePairs#scale}.
   *
   * @param weight the weight
   * @param scales one, or one for each column or filter; stays unchanged
   * @return as many scales
   */
  float[] raised(StoredTensor weight, float[] scales) {
    float[] raised = scales.clone();
    if (layout == Layout.MATRIX) {
      raiseColumns(weight, scales, raised);
    } else {
      raiseFilters(weight, scales, raised);
    }
    return raised;
  }

  private void raiseColumns(StoredTensor weight, float[] scales, float[] raised) {
    int rows = (int) Math.max(2, GATHERED / Math.max(1, width) / 2 * 2);
    for (long matrix = 0; matrix < count; matrix++) {
      for (int first = 0; first < length; first += rows) {
        int read = Math.min(rows, length - first);
        FloatBuffer values =
            FloatValues.of(weight, (matrix * length + first) * width, (long) read * width);
        for (int row = 0; row + 1 < read; row += 2) {
          for (int column = 0; column < width; column++) {
            int at = row * width + column;
            raise(values.get(at), values.get(at + width), column, scales, raised);
          }
        }
      }
    }
  }

  private void raiseFilters(StoredTensor weight, float[] scales, float[] raised) {
    int size = Math.multiplyExact(length, width);
    int filters = (int) Math.max(1, GATHERED / Math.max(1, size));
    for (long first = 0; first < count; first += filters) {
      int read = (int) Math.min(filters, count - first);
      FloatBuffer values = FloatValues.of(weight, first * size, (long) read * size);
      for (int filter = 0; filter < read; filter++) {
        for (int at = 0; at + 1 < size; at += 2) {
          raise(
              values.get(filter * size + place(at)),
              values.get(filter * size + place(at + 1)),
              (int) first + filter,
              scales,
              raised);
        }
      }
    }
  }

  /** Where an element of a filter is stored that is so far behind the first for the kernel. */
  private int place(int at) {
    return at % length * width + at / length;
  }

  private static void raise(float one, float other, int channel, float[] scales, float[] raised) {
    int index = scales.length == 1 ? 0 : channel;
    raised[index] = Math.max(raised[index], CodePairs.scale(one, other, scales[index]));
  }
}
