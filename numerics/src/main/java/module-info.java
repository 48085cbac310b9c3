/** The arithmetic of quantization. */
module dev.kvant.numerics {
  requires static transitive org.jspecify;

  exports dev.kvant.numerics;
  exports dev.kvant.numerics.observer;
}
