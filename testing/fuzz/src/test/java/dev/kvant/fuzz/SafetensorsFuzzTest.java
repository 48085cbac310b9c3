package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.QuantizationMode;
import java.nio.file.Path;

class SafetensorsFuzzTest {

  @FuzzTest
  void opens(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path file = input.file("model.safetensors");
          Models.inspect(file);
          Models.quantize(file, "torchao", QuantizationMode.WEIGHT_ONLY_PTQ);
        });
  }
}
