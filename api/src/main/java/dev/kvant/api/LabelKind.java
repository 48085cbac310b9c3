package dev.kvant.api;

import java.util.Locale;

/**
 * What the tensor {@code label} of an evaluation holds, and so which figures it gives.
 *
 * @since 0.1.0
 */
public enum LabelKind {
  /** The correct class of each sample, [samples] or [samples, 1]: top-1 and top-5. */
  CLASSES,

  /**
   * The objects in each sample, [samples, most, 5 or 6]: left, top, right and bottom of a box, its
   * class, and 1 for a crowd; a negative class fills up. Gives the mean average precision of COCO.
   */
  BOXES,

  /**
   * The text of each sample as positions in the model's alphabet, [samples, longest], in which 0 is
   * the blank of CTC; a negative number fills up. Gives the character error rate.
   */
  TEXT;

  /** The name in configurations. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The constant of that label, in any case.
   *
   * @throws IllegalArgumentException with the known labels if there is none
   */
  public static LabelKind of(String label) {
    for (LabelKind each : values()) {
      if (each.label().equalsIgnoreCase(label.strip())) {
        return each;
      }
    }
    throw new IllegalArgumentException("must be classes, boxes or text");
  }
}
