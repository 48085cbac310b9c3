package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Dynamic quantization of an ONNX graph")
class DynamicTest {

  @TempDir private Path folder;

  private static Quantization int8() {
    return Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8));
  }

  private SavedModel transformer(Quantization quantization) {
    return quantization.run(Digits.TRANSFORMER, folder);
  }

  private Path artifact() {
    return folder.resolve(OnnxBackend.ARTIFACT);
  }

  @Test
  void needs_no_data_and_keeps_the_transformer_as_good_as_it_was() {
    transformer(int8());

    assertThat(Digits.correct(artifact())).isBetween(Digits.correct(Digits.TRANSFORMER) - 2, 600);
  }

  @Test
  void multiplies_integers_and_quantizes_a_tensor_once_for_all_who_read_it() {
    SavedModel saved = transformer(int8());

    long products =
        saved.report().modules().stream()
            .filter(module -> module.activations().isQuantized())
            .count();
    try (OnnxFile file = OnnxFile.open(artifact())) {
      List<Node> nodes = file.load().graph().nodes();
      assertThat(nodes.stream().filter(node -> node.is("MatMulInteger"))).hasSize((int) products);
      List<String> sources =
          nodes.stream()
              .filter(node -> node.is("DynamicQuantizeLinear"))
              .map(node -> node.input(0))
              .toList();
      assertThat(sources).isNotEmpty().doesNotHaveDuplicates();
      assertThat(sources.size()).isLessThanOrEqualTo((int) products);
    }
  }

  @Test
  void leaves_convolutions_native_with_the_reason() {
    SavedModel saved = int8().run(Digits.RESNET, folder);

    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().type().equals("Conv"))
        .isNotEmpty()
        .noneMatch(ModuleReport::isQuantized)
        .allSatisfy(
            module ->
                assertThat(module.weights().reason()).contains("more slowly than in float32"));
  }

  @Test
  void says_that_an_output_depends_on_the_other_samples_of_its_batch() {
    assertThat(transformer(int8()).report().warnings())
        .anySatisfy(warning -> assertThat(warning.message()).contains("whole batch"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"opset11", "bias"})
  void stays_near_the_source_whatever_the_layout_of_the_product(String graph) {
    TensorBatch rows = Graphs.batch(1, 16, 8);
    Path source = Graphs.model(graph);

    int8().run(source, folder);

    assertThat(Graphs.nodes(artifact(), "MatMulInteger")).isNotEmpty();
    assertThat(Graphs.distance(artifact(), source, rows)).isLessThan(0.03);
  }
}
