package dev.kvant.spi;

import java.util.List;
import java.util.Objects;

/**
 * One key of {@code backend_kwargs} that a backend understands.
 *
 * @param key the key
 * @param type what its value is
 * @param allowed for {@link Type#STRING}: the values to choose from, a number among them written as
 *     one or as text; empty for any
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

  /** What the value of an option is. */
  public enum Type {
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    LIST_OF_STRINGS
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
}
