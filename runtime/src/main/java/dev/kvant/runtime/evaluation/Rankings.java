package dev.kvant.runtime.evaluation;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The order in which a search by dot product gives texts, each text searching among all others. */
final class Rankings {

  private final double[][] scores;

  /**
   * @param embeddings the texts, at least two
   */
  Rankings(List<double[]> embeddings) {
    int count = embeddings.size();
    scores = new double[count][count];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        scores[i][j] = Pooling.dot(embeddings.get(i), embeddings.get(j));
      }
    }
  }

  /** The number of texts. */
  int count() {
    return scores.length;
  }

  /** The first texts that a query gives, without itself; of equal scores the earlier text first. */
  int[] first(int query, int k) {
    return IntStream.range(0, scores.length)
        .filter(text -> text != query)
        .boxed()
        .sorted(
            Comparator.comparingDouble((Integer text) -> scores[query][text])
                .reversed()
                .thenComparing(Comparator.naturalOrder()))
        .limit(k)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** The scores of all pairs, each once. */
  double[] pairs() {
    int count = scores.length;
    double[] pairs = new double[count * (count - 1) / 2];
    int next = 0;
    for (int i = 0; i < count; i++) {
      for (int j = i + 1; j < count; j++) {
        pairs[next++] = scores[i][j];
      }
    }
    return pairs;
  }
}
