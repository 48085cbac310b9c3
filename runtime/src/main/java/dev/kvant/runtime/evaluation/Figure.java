package dev.kvant.runtime.evaluation;

import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Experimental;
import org.jspecify.annotations.Nullable;

/**
 * How well outputs fit labels.
 *
 * @since 0.1.0
 */
@Experimental
public enum Figure {
  /** The share of samples whose class has the largest output, 0 to 1. */
  TOP1("top1", "top-1"),

  /** The share of samples whose class is among the five largest outputs, 0 to 1. */
  TOP5("top5", "top-5"),

  /** The mean average precision of boxes as COCO defines it, 0 to 1. */
  MAP("map", "mAP"),

  /**
   * The character error rate: insertions, deletions and substitutions that make the texts of the
   * outputs those of the labels, for each character of the labels. 0 or more; less is better.
   */
  CER("cer", "CER");

  private final String key;
  private final String title;

  Figure(String key, String title) {
    this.key = key;
    this.title = title;
  }

  /** The name in documents for programs. */
  public String key() {
    return key;
  }

  /** The name for people. */
  public String title() {
    return title;
  }

  /** Whether a larger value is better. */
  public boolean isBetterIfLarger() {
    return this != CER;
  }

  /** The gate on this figure, or null. */
  @Nullable Double gate(EvaluationGates gates) {
    return switch (this) {
      case TOP1 -> gates.minTop1();
      case TOP5 -> gates.minTop5();
      case MAP -> gates.minMap();
      case CER -> gates.maxCer();
    };
  }
}
