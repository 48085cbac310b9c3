package dev.kvant.runtime.evaluation;

/**
 * The distance of Levenshtein: the least number of insertions, deletions and substitutions of
 * single elements that make one sequence the other. Source: V. I. Levenshtein, "Binary codes
 * capable of correcting deletions, insertions, and reversals", Soviet Physics Doklady 10 (1966).
 */
final class EditDistance {

  private EditDistance() {}

  /** The distance, 0 to the length of the longer one. */
  static int between(int[] one, int[] other) {
    int[] previous = new int[other.length + 1];
    for (int j = 0; j <= other.length; j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= one.length; i++) {
      int[] current = new int[other.length + 1];
      current[0] = i;
      for (int j = 1; j <= other.length; j++) {
        int substituted = previous[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
        current[j] = Math.min(substituted, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[other.length];
  }
}
