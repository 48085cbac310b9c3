package dev.kvant.runtime.evaluation;

import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Compares outputs batch by batch and keeps sums only. */
final class SimilarityMeter {

  private long samples;
  private double cosineSum;
  private double cosineMin = Double.POSITIVE_INFINITY;
  private double signal;
  private double noise;

  /**
   * Compares the outputs for one batch, the first of the one with the first of the other and so on.
   *
   * @throws UnsupportedModelException if they differ in number or shape
   */
  void add(Map<String, Tensor> reference, Map<String, Tensor> model, int rows) {
    List<Tensor> expected = List.copyOf(reference.values());
    List<Tensor> actual = List.copyOf(model.values());
    if (!shapes(expected).equals(shapes(actual))) {
      throw new UnsupportedModelException(
          "the model's outputs have the shapes %s and the reference's %s, so they cannot be compared"
              .formatted(shapes(actual), shapes(expected)));
    }
    List<float[]> expectedValues = expected.stream().map(Tensor::toFloats).toList();
    List<float[]> actualValues = actual.stream().map(Tensor::toFloats).toList();
    for (int row = 0; row < rows; row++) {
      addSample(expectedValues, actualValues, row, rows);
    }
  }

  private static List<List<Long>> shapes(List<Tensor> tensors) {
    List<List<Long>> shapes = new ArrayList<>();
    tensors.forEach(tensor -> shapes.add(tensor.shape()));
    return shapes;
  }

  private void addSample(List<float[]> expected, List<float[]> actual, int row, int rows) {
    double dot = 0;
    double expectedSquares = 0;
    double actualSquares = 0;
    for (int output = 0; output < expected.size(); output++) {
      float[] r = expected.get(output);
      float[] q = actual.get(output);
      int length = r.length / rows;
      for (int i = row * length; i < (row + 1) * length; i++) {
        dot += (double) r[i] * q[i];
        expectedSquares += (double) r[i] * r[i];
        actualSquares += (double) q[i] * q[i];
        double error = (double) r[i] - q[i];
        noise += error * error;
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

  OutputSimilarity similarity() {
    double sqnr = noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    return new OutputSimilarity(cosineSum / samples, cosineMin, sqnr);
  }
}
