package dev.kvant.backend.onnx.smooth;

import dev.kvant.spi.OptionDescriptor;
import java.util.List;
import java.util.Locale;

/**
 * Whether activations are smoothed, and how much.
 *
 * @param kind whether, and who says how much
 * @param alpha for {@link Kind#FIXED}: how much of the spread moves into weights, from 0 to 1 once
 *     it is checked
 * @since 0.1.0
 */
public record Smooth(Kind kind, double alpha) {

  /** Whether activations are smoothed, and who says how much. */
  public enum Kind {
    /** They are not. */
    OFF,
    /** By what makes the least error on the calibration data. */
    AUTO,
    /** By a given alpha. */
    FIXED
  }

  /** The word for {@link Kind#AUTO}. */
  public static final String AUTO = "auto";

  /** The words that an option may have in place of a number, the default first. */
  public static final List<String> WORDS = List.of(OptionDescriptor.OFF, AUTO);

  /** Reads a word of {@link #WORDS}, or a number. */
  public static Smooth of(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case OptionDescriptor.OFF -> new Smooth(Kind.OFF, 0);
      case AUTO -> new Smooth(Kind.AUTO, 0);
      default -> new Smooth(Kind.FIXED, Double.parseDouble(text));
    };
  }

  /** Whether activations are left as they are. */
  public boolean isOff() {
    return kind == Kind.OFF;
  }
}
