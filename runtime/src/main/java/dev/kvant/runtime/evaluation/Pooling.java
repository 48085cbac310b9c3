package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.PaddedPositions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * How the vectors of a text's tokens become one vector, its embedding.
 *
 * @since 0.1.0
 */
@Experimental
public enum Pooling {
  /**
   * The mean of the vectors of all tokens that the attention mask keeps: {@code Σ m·x / Σ m}
   * (Reimers and Gurevych, Sentence-BERT, 2019).
   */
  MEAN,

  /** The vector of the first token. */
  CLS;

  /**
   * The embeddings of the samples of a batch, computed in float64.
   *
   * @param output the model's first output: [rows, positions, width], or [rows, width] for a model
   *     that pools by itself
   * @param batch the batch, whose repeats do not count
   * @param normalized whether each embedding is divided by its Euclidean norm; zeros stay zeros
   * @throws UnsupportedModelException if the output has another shape
   */
  List<double[]> embeddings(Tensor output, InputBatch batch, boolean normalized) {
    List<Long> shape = output.shape();
    if (shape.size() < 2 || shape.size() > 3 || shape.get(0) != batch.rows()) {
      throw new UnsupportedModelException(
          "embeddings need an output of shape [samples, positions, width] or [samples, width], but"
              + " the first output has shape %s for %d samples".formatted(shape, batch.rows()));
    }
    int width = Math.toIntExact(shape.get(shape.size() - 1));
    int positions = shape.size() == 2 ? 1 : Math.toIntExact(shape.get(1));
    float[] values = output.toFloats();
    IntPredicate counted = PaddedPositions.of(batch.inputs()).counted(output);
    List<double[]> embeddings = new ArrayList<>();
    for (int row = 0; row < batch.samples(); row++) {
      double[] embedding = new double[width];
      int tokens = 0;
      for (int position = 0; position < (this == CLS ? 1 : positions); position++) {
        int start = (row * positions + position) * width;
        if (this == CLS || counted.test(start)) {
          tokens++;
          for (int i = 0; i < width; i++) {
            embedding[i] += values[start + i];
          }
        }
      }
      for (int i = 0; i < width; i++) {
        embedding[i] /= Math.max(1, tokens);
      }
      embeddings.add(normalized ? normalized(embedding) : embedding);
    }
    return embeddings;
  }

  private static double[] normalized(double[] vector) {
    double norm = Math.sqrt(dot(vector, vector));
    double[] result = new double[vector.length];
    for (int i = 0; i < vector.length; i++) {
      result[i] = norm == 0 ? 0 : vector[i] / norm;
    }
    return result;
  }

  static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += one[i] * other[i];
    }
    return sum;
  }
}
