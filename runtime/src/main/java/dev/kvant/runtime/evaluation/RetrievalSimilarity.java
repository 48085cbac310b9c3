package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Experimental;
import java.util.List;

/**
 * How well a quantized encoder finds what its reference finds, each text searching among all others
 * by the dot product of embeddings. NaN if an embedding of the model is.
 *
 * @param texts how many texts there were
 * @param k how many texts a search gives
 * @param recall the share of the reference's first k texts that the model's first k hold, 0 to 1
 * @param ndcg the normalized discounted gain of the model's first k texts, 0 to 1: a text is worth
 *     the more the earlier the reference gives it
 * @param spearman the rank correlation of the scores of all pairs of texts, -1 to 1
 * @since 0.1.0
 */
@Experimental
public record RetrievalSimilarity(int texts, int k, double recall, double ndcg, double spearman) {

  /**
   * Compares two sets of embeddings of the same texts.
   *
   * @param k how many texts a search gives
   * @throws DataException if there are fewer than k + 1 texts
   */
  static RetrievalSimilarity of(List<double[]> reference, List<double[]> model, int k) {
    if (reference.size() <= k) {
      throw new DataException(
          "recall and nDCG of the first %d texts need at least %d texts, but there are %d"
              .formatted(k, k + 1, reference.size()));
    }
    Rankings expected = new Rankings(reference);
    Rankings actual = new Rankings(model);
    for (double score : actual.pairs()) {
      if (Double.isNaN(score)) {
        return new RetrievalSimilarity(reference.size(), k, Double.NaN, Double.NaN, Double.NaN);
      }
    }
    return new RetrievalSimilarity(
        reference.size(),
        k,
        RecallAtK.of(expected, actual, k),
        NormalizedGainAtK.of(expected, actual, k),
        SpearmanCorrelation.of(expected.pairs(), actual.pairs()));
  }
}
