package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;
import java.util.Objects;

/**
 * How the outputs of an encoder become embeddings, and how many texts a search gives.
 *
 * @param pooling how the vectors of tokens become one
 * @param normalized whether embeddings are divided by their Euclidean norms, so that the score of a
 *     pair is the cosine
 * @param k how many texts a search gives, at least 1
 * @since 0.1.0
 */
@Experimental
public record RetrievalRequest(Pooling pooling, boolean normalized, int k) {

  /** The number of texts where none is given. */
  public static final int DEFAULT_K = 10;

  /** The mean of the tokens, normalized, and ten texts. */
  public static final RetrievalRequest DEFAULT =
      new RetrievalRequest(Pooling.MEAN, true, DEFAULT_K);

  /**
   * Checks the components.
   *
   * @throws IllegalArgumentException if a search would give no text
   */
  public RetrievalRequest {
    Objects.requireNonNull(pooling, "pooling");
    if (k < 1) {
      throw new IllegalArgumentException("k: must be at least 1, was " + k);
    }
  }
}
