/** The kvant command. */
module dev.kvant.cli {
  requires com.google.gson;
  requires dev.kvant.report;
  requires dev.kvant.runtime;
  requires dev.kvant.validation;
  requires info.picocli;
  requires java.logging;
  requires static org.jspecify;

  // Java's logging is configured by a class that is in it.
  exports dev.kvant.cli to
      java.logging;

  opens dev.kvant.cli to
      info.picocli;
}
