package dev.kvant.api;

import java.util.Locale;

/**
 * The part of a module that a quantization setting applies to.
 *
 * @since 0.1.0
 */
public enum Operand {
  /** The module's trained parameters. */
  WEIGHTS,

  /** The inputs of the module. */
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
