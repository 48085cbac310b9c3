package dev.kvant.runtime.evaluation;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How many of the texts that the reference finds first the model finds first too: the mean over all
 * queries of {@code |R_k ∩ M_k| / k}, with {@code R_k} and {@code M_k} the first k texts of both, 0
 * to 1. With the ranking of exact search as reference it is the recall of ann-benchmarks (Aumüller
 * and others, 2020).
 */
final class RecallAtK {

  private RecallAtK() {}

  /**
   * @param k from 1 to the number of texts less one
   */
  static double of(Rankings reference, Rankings model, int k) {
    double sum = 0;
    for (int query = 0; query < reference.count(); query++) {
      Set<Integer> found = IntStream.of(model.first(query, k)).boxed().collect(Collectors.toSet());
      long both = IntStream.of(reference.first(query, k)).filter(found::contains).count();
      sum += (double) both / k;
    }
    return sum / reference.count();
  }
}
