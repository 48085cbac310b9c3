/** Quantized GGUF files for llama.cpp. */
module dev.kvant.backend.gguf {
  requires com.google.gson;
  requires dev.kvant.gguf;
  requires dev.kvant.kit;
  requires dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.backend.gguf;

  provides dev.kvant.spi.QuantizationBackend with
      dev.kvant.backend.gguf.GgufBackend;
}
