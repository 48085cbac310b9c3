/** Quantizes ONNX graphs. */
module dev.kvant.backend.onnx {
  requires dev.kvant.kit;
  requires dev.kvant.numerics;
  requires dev.kvant.onnx;
  requires dev.kvant.onnx.runtime;
  requires transitive dev.kvant.spi;
  requires static transitive org.jspecify;

  exports dev.kvant.backend.onnx;

  provides dev.kvant.spi.QuantizationBackend with
      dev.kvant.backend.onnx.OnnxBackend;
}
