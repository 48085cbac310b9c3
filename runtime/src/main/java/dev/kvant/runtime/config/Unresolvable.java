package dev.kvant.runtime.config;

/** A value that cannot be read, with the reason in words; becomes a problem with a path. */
final class Unresolvable extends Exception {

  private static final long serialVersionUID = 1L;

  Unresolvable(String message) {
    super(message);
  }
}
