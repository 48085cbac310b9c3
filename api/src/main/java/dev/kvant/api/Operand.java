package dev.kvant.api;

import java.util.Locale;

/**
 * What of a module a quantization setting speaks about.
 *
 * @since 0.1.0
 */
public enum Operand {
  /** The module's trained parameters. */
  WEIGHTS,

  /** The values that flow into the module. */
  ACTIVATIONS;

  /** The name in configuration documents, as in {@code weights}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return label();
  }
}
