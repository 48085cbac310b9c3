package dev.kvant.cli;

/**
 * A configuration of java.util.logging without any handler. Java makes an instance when the first
 * library logs through it; one that reads nothing leaves everything unheard.
 *
 * @since 0.1.0
 */
public final class SilentLogging {

  /** Leaves the logging without handlers. */
  public SilentLogging() {
    // What is not configured here prints nothing.
  }
}
