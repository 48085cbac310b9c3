/** Metrics of Kvant for applications with Micrometer. */
module dev.kvant.micrometer {
  requires transitive dev.kvant.api;
  requires transitive micrometer.core;
  requires static transitive org.jspecify;

  exports dev.kvant.micrometer;
}
