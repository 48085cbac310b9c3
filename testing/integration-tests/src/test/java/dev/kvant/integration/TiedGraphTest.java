package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A graph whose table and product share a weight")
class TiedGraphTest {

  private static final Path MODEL =
      Path.of("..", "..", "formats", "onnx", "src", "test", "resources", "models", "tied.onnx");

  @Test
  void is_quantized_without_a_warning_where_both_are_decided_alike() {
    assertThat(warnings("*")).isEmpty();
  }

  @Test
  void warns_where_they_are_decided_differently_and_so_untied() {
    assertThat(warnings("Embedding"))
        .singleElement()
        .satisfies(warning -> assertThat(warning.kind()).isEqualTo(QuantizationWarning.Kind.UNTIED))
        .satisfies(warning -> assertThat(warning.modules()).containsExactly("embedding", "head"));
  }

  private static List<QuantizationWarning> warnings(String pattern) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("onnx")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer(pattern, Dtype.INT8)
            .build();
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.prepare(model).plan().warnings();
    }
  }
}
