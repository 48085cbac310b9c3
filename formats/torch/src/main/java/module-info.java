/** Models of PyTorch as files: TorchScript archives, checkpoints, safetensors. */
module dev.kvant.torch {
  requires com.google.gson;
  requires dev.kvant.numerics;
  requires transitive dev.kvant.spi;
  requires org.apache.commons.compress;
  requires static transitive org.jspecify;

  exports dev.kvant.torch;
  exports dev.kvant.torch.archive;
  exports dev.kvant.torch.pickle;
  exports dev.kvant.torch.safetensors;
  exports dev.kvant.torch.script;
  exports dev.kvant.torch.tensor;

  provides dev.kvant.spi.ModelFormat with
      dev.kvant.torch.TorchFormat;
}
