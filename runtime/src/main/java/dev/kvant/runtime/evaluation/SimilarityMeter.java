package dev.kvant.runtime.evaluation;

import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.PaddedPositions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Compares outputs batch by batch and keeps sums only.
 *
 * @since 0.1.0
 */
@Internal
public final class SimilarityMeter {

  private long samples;
  private double cosineSum;
  private double cosineMin = Double.POSITIVE_INFINITY;
  private double signal;
  private double noise;

  /** A meter that has seen nothing. */
  public SimilarityMeter() {}

  /**
   * Compares the outputs for one batch, the first of the one with the first of the other and so on.
   * An output whose first dimension is not the rows of the batch belongs to all samples alike.
   * Outputs at padded positions do not count.
   *
   * @param batch the batch, whose repeats do not count
   * @throws UnsupportedModelException if they differ in number or shape
   */
  public void add(Map<String, Tensor> reference, Map<String, Tensor> model, InputBatch batch) {
    List<Tensor> expected = List.copyOf(reference.values());
    List<Tensor> actual = List.copyOf(model.values());
    if (!shapes(expected).equals(shapes(actual))) {
      throw new UnsupportedModelException(
          "the model's outputs have the shapes %s and the reference's %s, so they cannot be compared"
              .formatted(shapes(actual), shapes(expected)));
    }
    PaddedPositions padding = PaddedPositions.of(batch.inputs());
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < expected.size(); i++) {
      List<Long> shape = expected.get(i).shape();
      pairs.add(
          new Pair(
              expected.get(i).toFloats(),
              actual.get(i).toFloats(),
              padding.counted(expected.get(i)),
              !shape.isEmpty() && shape.get(0) == batch.rows() ? batch.rows() : 1));
    }
    for (int row = 0; row < batch.samples(); row++) {
      addSample(pairs, row);
    }
  }

  /** An output of both models. */
  private static final class Pair {

    private final float[] expected;
    private final float[] actual;
    private final IntPredicate counted;

    /** How many samples it tells apart; 1 if it tells none. */
    private final int rows;

    Pair(float[] expected, float[] actual, IntPredicate counted, int rows) {
      this.expected = expected;
      this.actual = actual;
      this.counted = counted;
      this.rows = rows;
    }
  }

  /** The shapes of outputs, in their order. */
  static List<List<Long>> shapes(Map<String, Tensor> outputs) {
    return shapes(List.copyOf(outputs.values()));
  }

  private static List<List<Long>> shapes(List<Tensor> tensors) {
    List<List<Long>> shapes = new ArrayList<>();
    tensors.forEach(tensor -> shapes.add(tensor.shape()));
    return shapes;
  }

  private void addSample(List<Pair> outputs, int row) {
    double dot = 0;
    double expectedSquares = 0;
    double actualSquares = 0;
    for (Pair output : outputs) {
      int length = output.expected.length / output.rows;
      int start = output.rows == 1 ? 0 : row * length;
      for (int i = start; i < start + length; i++) {
        if (!output.counted.test(i)) {
          continue;
        }
        double r = output.expected[i];
        double q = output.actual[i];
        dot += r * q;
        expectedSquares += r * r;
        actualSquares += q * q;
        noise += (r - q) * (r - q);
      }
    }
    signal += expectedSquares;
    double cosine = cosine(dot, expectedSquares, actualSquares);
    cosineSum += cosine;
    cosineMin = Math.min(cosineMin, cosine);
    samples++;
  }

  private static double cosine(double dot, double expectedSquares, double actualSquares) {
    if (expectedSquares == 0 && actualSquares == 0) {
      return 1;
    }
    if (expectedSquares == 0 || actualSquares == 0) {
      return 0;
    }
    // One root of the product, not a product of roots: equal outputs then give 1 and nothing near.
    return dot / Math.sqrt(expectedSquares * actualSquares);
  }

  /** The similarity of all that was added; at least one sample. */
  public OutputSimilarity similarity() {
    double sqnr = noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    return new OutputSimilarity(cosineSum / samples, cosineMin, sqnr);
  }
}
