/** Kvant in applications with Guice. */
module dev.kvant.guice {
  requires transitive com.google.guice;
  requires transitive jakarta.inject;
  requires transitive dev.kvant.runtime;
  requires static transitive org.jspecify;

  exports dev.kvant.guice;

  opens dev.kvant.guice to
      com.google.guice;
}
