package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.runtime.config.ConfigDocument;
import java.util.List;

class SpecFuzzTest {

  @FuzzTest
  void reads(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> Models.KVANT.quantizer(ConfigDocument.parse(input.text())).close());
  }

  @FuzzTest
  void reads_overrides(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () ->
            Models.KVANT
                .quantizer(
                    ConfigDocument.parse("quantize: {backend: onnx, layers: [{module_name: a}]}")
                        .withOverrides(List.of(input.text().split("\n", -1))))
                .close());
  }
}
