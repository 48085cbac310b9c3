package dev.kvant.runtime.evaluation;

/**
 * The normalized discounted cumulative gain of the model's ranking, nDCG@k. A text is worth {@code
 * k - r} if the reference gives it at position {@code r} of its first k, from 0, and nothing
 * otherwise. The gain of a ranking is {@code Σ worth_i / log2(i + 2)} over its first k texts; it is
 * divided by the gain of the reference's own ranking. The mean over all queries, 0 to 1 (Järvelin
 * and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002).
 */
final class NormalizedGainAtK {

  private NormalizedGainAtK() {}

  /**
   * @param k from 1 to the number of texts less one
   */
  static double of(Rankings reference, Rankings model, int k) {
    double sum = 0;
    for (int query = 0; query < reference.count(); query++) {
      int[] ideal = reference.first(query, k);
      int[] worth = new int[reference.count()];
      for (int i = 0; i < k; i++) {
        worth[ideal[i]] = k - i;
      }
      sum += gain(model.first(query, k), worth) / gain(ideal, worth);
    }
    return sum / reference.count();
  }

  private static double gain(int[] ranking, int[] worth) {
    double gain = 0;
    for (int i = 0; i < ranking.length; i++) {
      gain += worth[ranking[i]] / (Math.log(i + 2) / Math.log(2));
    }
    return gain;
  }
}
