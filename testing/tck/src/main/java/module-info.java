/** Contracts that every backend and every model format passes, as tests to extend. */
module dev.kvant.tck {
  requires transitive dev.kvant.kit;
  requires transitive dev.kvant.spi;
  requires java.management;
  requires jdk.jfr;
  requires jdk.management;
  requires transitive org.junit.jupiter.api;
  requires static transitive org.jspecify;

  exports dev.kvant.tck;

  // JUnit runs what the contracts contain.
  opens dev.kvant.tck to
      org.junit.platform.commons;

  uses dev.kvant.spi.ModelFormat;
  uses dev.kvant.spi.QuantizationBackend;
}
