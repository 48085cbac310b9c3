/** Quantized checkpoints for serving engines, as compressed-tensors stores them. */
module dev.kvant.backend.compressedtensors {
  requires com.google.gson;
  requires dev.kvant.kit;
  requires dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.backend.compressedtensors;

  provides dev.kvant.spi.QuantizationBackend with
      dev.kvant.backend.compressedtensors.CompressedTensorsBackend;
}
