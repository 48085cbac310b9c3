package dev.kvant.api;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The device that runs a model during calibration and evaluation.
 *
 * @param name {@code cpu}, {@code cuda} or {@code cuda:N}
 * @since 0.1.0
 */
public record Device(String name) {

  /** The CPU, which is always available. */
  public static final Device CPU = new Device("cpu");

  private static final Pattern KNOWN = Pattern.compile("cpu|cuda(:\\d+)?");

  /**
   * Converts the name to lower case. An unknown name is accepted, so that it can be reported
   * together with the document's other problems; see {@link #isKnown()}.
   */
  public Device {
    Objects.requireNonNull(name, "name");
    name = name.strip().toLowerCase(Locale.ROOT);
  }

  /** The device of that name. */
  public static Device of(String name) {
    return new Device(name);
  }

  /** Whether the name has one of the known forms. This machine may still lack the device. */
  public boolean isKnown() {
    return KNOWN.matcher(name).matches();
  }

  @Override
  public String toString() {
    return name;
  }
}
