package dev.kvant.onnx.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class OnnxRunnerProviderTest {

  private final OnnxRunnerProvider provider = new OnnxRunnerProvider();

  @Test
  void runs_a_model_with_and_without_optimizations() {
    try (ModelRunner optimized = provider.open(model(), Device.CPU);
        ModelRunner plain = provider.openUnoptimized(model(), Device.CPU).orElseThrow()) {
      for (ModelRunner runner : new ModelRunner[] {optimized, plain}) {
        // [1, 2, 3] · w = [0 + 4/4 + 12/4, 1/4 + 6/4 + 15/4]; e[4] = [8, 9]
        assertThat(runner.run(batch()))
            .hasEntrySatisfying("y", y -> assertThat(y.toFloats()).containsExactly(12, 14.5f));
      }
    }
  }

  @Test
  void states_types_and_shapes_of_the_inputs() {
    try (ModelRunner runner = provider.open(model(), Device.CPU)) {
      assertThat(runner.inputs())
          .containsExactly(
              InputDescription.of("x", ElementType.FLOAT32, List.of(-1L, 3L)),
              InputDescription.of("ids", ElementType.INT64, List.of(-1L)));
    }
  }

  private static TensorBatch batch() {
    return new TensorBatch(
        Map.of(
            "x", Tensor.ofFloats(new float[] {1, 2, 3}, 1, 3),
            "ids", Tensor.ofLongs(new long[] {4}, 1)));
  }

  static Path model() {
    URL url = Objects.requireNonNull(OnnxRunnerProviderTest.class.getResource("sum.onnx"));
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
