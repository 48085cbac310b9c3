package dev.kvant.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The place in a configuration that made a decision.
 *
 * @param kind the part of the configuration
 * @param index the position in its list, or -1 for a default
 * @param pattern the pattern as written, or null for a default
 * @since 0.1.0
 */
public record RuleReference(Kind kind, int index, @Nullable String pattern) {

  /** The part of a configuration that contains a rule. */
  public enum Kind {
    /** An entry of {@code layers}. */
    LAYER,
    /** An entry of {@code skip_names}. */
    SKIP,
    /** {@code default_layer_dtype} or {@code default_activation_dtype}. */
    DEFAULT
  }

  public RuleReference {
    Objects.requireNonNull(kind, "kind");
  }

  /** The rule at that position of {@code layers}. */
  public static RuleReference layer(int index, String pattern) {
    return new RuleReference(Kind.LAYER, index, pattern);
  }

  /** The pattern at that position of {@code skip_names}. */
  public static RuleReference skip(int index, String pattern) {
    return new RuleReference(Kind.SKIP, index, pattern);
  }

  /** The default, which all rules override. */
  public static RuleReference defaults() {
    return new RuleReference(Kind.DEFAULT, -1, null);
  }

  /** The rule as in a configuration document, such as {@code layers[2] 'Linear'}. */
  @Override
  public String toString() {
    return switch (kind) {
      case LAYER -> "layers[" + index + "] '" + pattern + "'";
      case SKIP -> "skip_names[" + index + "] '" + pattern + "'";
      case DEFAULT -> "default";
    };
  }
}
