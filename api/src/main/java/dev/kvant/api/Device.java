package dev.kvant.api;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Where a model runs while Kvant observes or evaluates it.
 *
 * @param name {@code cpu}, {@code cuda} or {@code cuda:N}
 * @since 0.1.0
 */
public record Device(String name) {

  /** The processor, always there. */
  public static final Device CPU = new Device("cpu");

  private static final Pattern KNOWN = Pattern.compile("cpu|cuda(:\\d+)?");

  /**
   * Brings the name to lower case. Whether it is a known one is for {@link #isKnown()}: a
   * document's other problems are worth hearing in the same breath.
   */
  public Device {
    Objects.requireNonNull(name, "name");
    name = name.strip().toLowerCase(Locale.ROOT);
  }

  /** The device of that name. */
  public static Device of(String name) {
    return new Device(name);
  }

  /** Whether the name has one of the known forms; says nothing about this machine having it. */
  public boolean isKnown() {
    return KNOWN.matcher(name).matches();
  }

  @Override
  public String toString() {
    return name;
  }
}
