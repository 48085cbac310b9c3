package dev.kvant.fuzz;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.VerificationConfig;
import dev.kvant.runtime.Kvant;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Reads all of a model and quantizes it. */
final class Models {

  /** All that is on the class path. */
  static final Kvant KVANT = Kvant.create();

  /** Of a tensor more than that is not read: it may be as large as the file says it is. */
  private static final int MOST = 1 << 12;

  private Models() {}

  /** Reads what {@code kvant inspect} reads, and the beginning of all tensors. */
  static void inspect(Path file) {
    try (QuantizableModel model = KVANT.load(file)) {
      read(model);
    }
  }

  private static void read(QuantizableModel model) {
    model.modules();
    model.operators();
    model.inputs();
    model.tensorBytes();
    model.opaqueEntries();
    model.quantizedBy();
    KVANT.report(model);
    KVANT.verification(model);
    for (ModelTensor tensor : model.tensors().values()) {
      long count = Math.min(tensor.elements(), MOST);
      tensor.read(0, ByteBuffer.allocate(Math.toIntExact(tensor.elementType().bytes(count))));
    }
  }

  /** Plans and writes artifacts of int8. */
  static void quantize(Path file, String backend, QuantizationMode mode) {
    quantize(file, backend, mode, Dtype.INT8);
  }

  /** Plans and writes artifacts. */
  static void quantize(Path file, String backend, QuantizationMode mode, Dtype dtype) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend(backend)
            .mode(mode)
            .defaultLayerDtype(dtype)
            .defaultActivationDtype(
                mode.equals(QuantizationMode.WEIGHT_ONLY_PTQ) ? Dtype.NATIVE : dtype)
            .verify(VerificationConfig.OFF)
            .build();
    try (QuantizableModel model = KVANT.load(file);
        ModelQuantizer quantizer = KVANT.quantizer(config)) {
      quantizer.saveModel(quantizer.quantizeModel(model), Input.place("results"));
    }
  }
}
