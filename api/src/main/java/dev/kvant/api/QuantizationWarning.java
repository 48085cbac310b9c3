package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened otherwise than the configuration says, and that the user should hear of.
 *
 * @param kind what sort of thing
 * @param message one sentence for a person, complete without the other fields
 * @param rule the rule it is about, or null
 * @param modules the modules it is about, by qualified name
 * @since 0.1.0
 */
public record QuantizationWarning(
    Kind kind, String message, @Nullable RuleReference rule, List<String> modules) {

  /** The sort of a warning. */
  public enum Kind {
    /** A pattern matches no module. */
    NO_MATCH,
    /** A matched module cannot be quantized and stays native. */
    NOT_QUANTIZABLE,
    /** A setting has no meaning for this backend or mode. */
    IGNORED_SETTING,
    /** Tied weights got different decisions and are separate from now on. */
    UNTIED,
    /** Calibration was asked for, or is missing, where it makes no difference or a worse result. */
    CALIBRATION,
    /** Data is converted, cut off, or run in other batches than the configuration says. */
    DATA,
    /** Anything else; the message tells. */
    OTHER
  }

  public QuantizationWarning {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(message, "message");
    modules = List.copyOf(modules);
  }
}
