/** Weight-only quantization of PyTorch models, for torchao. */
module dev.kvant.backend.torchao {
  requires dev.kvant.kit;
  requires dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires dev.kvant.torch;
  requires static transitive org.jspecify;

  exports dev.kvant.backend.torchao;

  provides dev.kvant.spi.QuantizationBackend with
      dev.kvant.backend.torchao.TorchaoBackend;
}
