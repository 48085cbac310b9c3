/** Runs ONNX graphs in ONNX Runtime. */
module dev.kvant.onnx.runtime {
  requires com.microsoft.onnxruntime;
  requires transitive dev.kvant.onnx;
  requires static transitive org.jspecify;

  exports dev.kvant.onnx.runtime;

  provides dev.kvant.spi.ModelRunnerProvider with
      dev.kvant.onnx.runtime.OnnxRunnerProvider;
}
