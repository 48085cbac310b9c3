package dev.kvant.spi;

import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * One setting that a backend reads from {@code backend_kwargs}, or a data reader from {@code
 * calibration} and {@code evaluation}.
 *
 * @param key the key
 * @param type what its value is
 * @param allowed for {@link Type#STRING}: the values to choose from, numbers, {@code true} and
 *     {@code false} among them written as such or as text; empty for any. For {@link
 *     Type#NUMBER_OR_WORD}: the words
 * @param defaultValue what holds when the key is absent, as it would be written; the empty string
 *     for nothing
 * @param description what it does, in one sentence
 * @since 0.1.0
 */
public record OptionDescriptor(
    String key, Type type, List<String> allowed, String defaultValue, String description) {

  /**
   * The key of the option that names a file for what calibration observed, so that later runs need
   * not observe it again. Whoever declares {@link #calibrationCache()} has such a cache: the file
   * is read and written by Kvant, not by the backend.
   */
  public static final String CALIBRATION_CACHE = "calibration_cache";

  /** The word for nothing, which YAML 1.1 reads as {@code false} unless it is quoted. */
  public static final String OFF = "off";

  /** What the value of an option is. */
  public enum Type {
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    /** A number, or one of a few words. */
    NUMBER_OR_WORD,
    LIST_OF_STRINGS,
    /** Whole numbers; a single one is a list of one. */
    LIST_OF_INTEGERS,
    /** Numbers; a single one is a list of one. */
    LIST_OF_NUMBERS
  }

  public OptionDescriptor {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(type, "type");
    allowed = List.copyOf(allowed);
    Objects.requireNonNull(defaultValue, "defaultValue");
    Objects.requireNonNull(description, "description");
  }

  /** The option {@link #CALIBRATION_CACHE}. */
  public static OptionDescriptor calibrationCache() {
    return new OptionDescriptor(
        CALIBRATION_CACHE,
        Type.STRING,
        List.of(),
        "",
        "A file that keeps what calibration observed, for a run with the same model, plan and data.");
  }

  /** An option that is on or off. */
  public static OptionDescriptor flag(String key, boolean defaultValue, String description) {
    return new OptionDescriptor(
        key, Type.BOOLEAN, List.of(), String.valueOf(defaultValue), description);
  }

  /** An option with a few values, the first of which is the default. */
  public static OptionDescriptor choice(String key, List<String> allowed, String description) {
    return new OptionDescriptor(key, Type.STRING, allowed, allowed.get(0), description);
  }

  /** A setting without a default. */
  public static OptionDescriptor of(String key, Type type, String description) {
    return new OptionDescriptor(key, type, List.of(), "", description);
  }

  /** Whether a value has the type; {@link #allowed} is another question. */
  public boolean accepts(Object value) {
    return switch (type) {
      case BOOLEAN -> value instanceof Boolean;
      case INTEGER -> isInteger(value);
      case NUMBER -> value instanceof Number;
      // YAML reads a version as a number, and true among other choices as a boolean.
      case STRING ->
          value instanceof String
              || ((value instanceof Number || value instanceof Boolean)
                  && allowed.contains(value.toString()));
      // YAML 1.1 reads off as false.
      case NUMBER_OR_WORD ->
          value instanceof Number
              || (value instanceof String && allowed.contains(value))
              || (Boolean.FALSE.equals(value) && allowed.contains(OFF));
      case LIST_OF_STRINGS -> value instanceof List<?> list && all(list, String.class::isInstance);
      case LIST_OF_INTEGERS ->
          isInteger(value)
              || (value instanceof List<?> list && all(list, OptionDescriptor::isInteger));
      case LIST_OF_NUMBERS ->
          value instanceof Number
              || (value instanceof List<?> list && all(list, Number.class::isInstance));
    };
  }

  private static boolean isInteger(Object value) {
    return value instanceof Integer || value instanceof Long || value instanceof BigInteger;
  }

  private static boolean all(List<?> list, Predicate<Object> condition) {
    return list.stream().allMatch(condition);
  }

  /** What a value must be, for a person, as in {@code a list of texts}. */
  public String typeName() {
    return switch (type) {
      case BOOLEAN -> "true or false";
      case INTEGER -> "an integer";
      case NUMBER -> "a number";
      case STRING -> allowed.isEmpty() ? "a text" : "one of " + String.join(", ", allowed);
      case NUMBER_OR_WORD -> "a number or one of " + String.join(", ", allowed);
      case LIST_OF_STRINGS -> "a list of texts";
      case LIST_OF_INTEGERS -> "a list of integers";
      case LIST_OF_NUMBERS -> "a list of numbers";
    };
  }
}
