/** The kvant command. */
module dev.kvant.cli {
  requires com.google.gson;
  requires com.google.guice;
  requires dev.kvant.guice;
  requires dev.kvant.runtime;
  requires dev.kvant.validation;
  requires info.picocli;
  requires static org.jspecify;

  opens dev.kvant.cli to
      info.picocli;
}
