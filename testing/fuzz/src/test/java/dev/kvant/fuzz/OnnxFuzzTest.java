package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.QuantizationMode;
import java.nio.file.Path;

class OnnxFuzzTest {

  /**
   * Constants of 64 MiB more than there are in the file may be computed, see SECURITY.md, each from
   * smaller ones, and each is copied a few times on its way.
   */
  private static final long FOLDED_BYTES = 640L << 20;

  @FuzzTest
  void opens(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        FOLDED_BYTES,
        () -> {
          Path file = input.file("model.onnx");
          Models.inspect(file);
          Models.quantize(file, "onnx", QuantizationMode.DYNAMIC_PTQ);
        });
  }
}
