package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.SavedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A recurrent operator")
class RecurrentTest {

  private static final int SIZE = 64;

  @TempDir private Path folder;

  private Path model(String operator, int gates, int directions) {
    return new TestGraph()
        .input("x", 5, -1, SIZE)
        .output("y", 5, directions, -1, SIZE)
        .random("w", 0.1, directions, (long) gates * SIZE, SIZE)
        .random("r", 0.1, directions, (long) gates * SIZE, SIZE)
        .random("b", 0.1, directions, 2L * gates * SIZE)
        .node(
            operator,
            List.of("x", "w", "r", "b"),
            "y",
            attribute("hidden_size", SIZE),
            attribute("direction", directions == 2 ? "bidirectional" : "forward"))
        .write(folder);
  }

  private SavedModel quantize(Path model) {
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
        .run(model, folder.resolve("out"));
  }

  @ParameterizedTest
  @CsvSource({"LSTM,4,1", "LSTM,4,2", "GRU,3,1", "GRU,3,2", "RNN,1,1", "RNN,1,2"})
  void reads_both_weights_from_int8(String operator, int gates, int directions) throws IOException {
    Path model = model(operator, gates, directions);

    SavedModel saved = quantize(model);

    Path artifact = saved.artifacts().get(0).path();
    assertThat(saved.report().modules())
        .singleElement()
        .satisfies(
            module -> {
              assertThat(module.weights().isQuantized()).isTrue();
              assertThat(module.weights().granularity()).isEqualTo(Granularity.axis(1));
              assertThat(module.weights().sqnrDecibels()).isBetween(40.0, 46.0);
            });
    assertThat(Graphs.nodes(artifact, "DequantizeLinear")).hasSize(2);
    assertThat(Graphs.nodes(artifact, operator)).hasSize(1);
    long weights = 2L * directions * gates * SIZE * SIZE;
    assertThat(Files.size(model) - Files.size(artifact))
        .isBetween(3 * weights - 10L * gates * SIZE - 3000, 3 * weights);
    assertThat(Graphs.distance(artifact, model, Graphs.batch(1, 5, 3, SIZE))).isBetween(1e-5, 0.01);
  }

  @Test
  void stays_native_where_activations_are_quantized_too() {
    SavedModel saved =
        Quantization.staticOf(module -> Plans.Wish.weights(Dtype.INT8), null)
            .run(model("LSTM", 4, 1), folder.resolve("out"));

    assertThat(saved.report().modules())
        .singleElement()
        .satisfies(
            module ->
                assertThat(module.decision().weights().reason())
                    .contains("weight_only_ptq stores its weights as int8"));
  }
}
