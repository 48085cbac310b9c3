/** GGUF files, the models of llama.cpp. */
module dev.kvant.gguf {
  requires transitive dev.kvant.kit;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.gguf;

  provides dev.kvant.spi.ModelFormat with
      dev.kvant.gguf.GgufFormat;
}
