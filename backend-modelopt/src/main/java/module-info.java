/** Calibrated static quantization of PyTorch models, for ModelOpt. */
module dev.kvant.backend.modelopt {
  requires dev.kvant.kit;
  requires dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires dev.kvant.torch;
  requires dev.kvant.torch.runtime;
  requires static transitive org.jspecify;

  exports dev.kvant.backend.modelopt;

  provides dev.kvant.spi.QuantizationBackend with
      dev.kvant.backend.modelopt.ModelOptBackend;
}
