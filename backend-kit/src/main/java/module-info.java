/** What every backend needs beside its arithmetic and its format. */
module dev.kvant.kit {
  requires transitive dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.kit;
}
