/** Runs TorchScript through DJL, and supports DJL's models and data sets. */
module dev.kvant.torch.runtime {
  requires transitive ai.djl.api;
  requires ai.djl.pytorch_engine;
  requires transitive dev.kvant.torch;
  requires static transitive org.jspecify;

  exports dev.kvant.torch.runtime;

  provides dev.kvant.spi.ModelRunnerProvider with
      dev.kvant.torch.runtime.TorchScriptRunnerProvider;
  provides dev.kvant.spi.ModelSource with
      dev.kvant.torch.runtime.DjlModelSource;
}
