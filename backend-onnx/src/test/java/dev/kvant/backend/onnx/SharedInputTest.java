package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Modules that read one tensor")
class SharedInputTest {

  @TempDir private Path folder;

  private static float[] values(int seed) {
    return SmallGraph.normal(seed, 16, 1);
  }

  @Test
  void are_a_group() {
    Path source =
        SmallGraph.ofFloats()
            .input("x", -1, 4)
            .constant("q", values(1), 4, 4)
            .constant("k", values(2), 4, 4)
            .constant("o", values(3), 4, 4)
            .node("MatMul", "query", List.of("x", "q"), "a")
            .node("MatMul", "key", List.of("x", "k"), "b")
            .node("Add", "sum", List.of("a", "b"), "c")
            .node("MatMul", "out", List.of("c", "o"), "y")
            .output("y", -1, 4)
            .write(folder);
    var backend = new OnnxBackend();
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder().backend("onnx").mode(QuantizationMode.STATIC_PTQ).build();
    RunContext context = RunContext.builder(config, backend.descriptor()).build();
    try (QuantizableModel file = new OnnxFormat().open(source)) {
      QuantizableModel model = backend.prepare(file, context);
      try (QuantizationRun run =
          backend.begin(
              model,
              Plans.of(
                  model,
                  QuantizationMode.STATIC_PTQ,
                  (of, part) -> Plans.Wish.both(Dtype.INT8),
                  config),
              context)) {
        assertThat(run.groups()).containsExactly(List.of("query", "key"));
      }
    }
  }
}
