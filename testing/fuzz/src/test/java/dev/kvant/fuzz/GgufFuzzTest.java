package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizationMode;
import java.nio.file.Path;

class GgufFuzzTest {

  @FuzzTest
  void opens(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path file = input.file("model.gguf");
          Models.inspect(file);
          Models.quantize(file, "gguf", QuantizationMode.WEIGHT_ONLY_PTQ, Dtype.of("q4_0"));
        });
  }
}
