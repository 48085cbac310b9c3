/** What authors of backends, formats and runners implement. */
module dev.kvant.spi {
  requires transitive dev.kvant.api;
  requires transitive dev.kvant.numerics;
  requires static transitive org.jspecify;

  exports dev.kvant.spi;
}
