package dev.kvant.backend.torchao;

import static dev.kvant.backend.torchao.TestModels.bytes;
import static dev.kvant.backend.torchao.TestModels.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.torch.ExportedModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.QuantizedTensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Programs of torch.export with 8-bit weights; {@code interop/check_pt2.py} runs such. */
class ExportedArchiveTest {

  private static final String GRAPH = "models/model.json";
  private static final int MAX_BYTES = 1 << 20;

  @TempDir Path folder;

  private SavedModel quantizeAll(Path model, Dtype dtype) {
    return Quantization.of(model).all(dtype).into(folder.resolve("out"));
  }

  private Path program() {
    return folder.resolve("out").resolve(TorchaoBackend.EXPORTED);
  }

  private static JsonObject graph(Path file) {
    try (TorchArchive archive = TorchArchive.open(file)) {
      return JsonParser.parseString(Archives.text(archive.record(GRAPH)))
          .getAsJsonObject()
          .getAsJsonObject("graph_module");
    }
  }

  private static List<String> operators(JsonObject module) {
    List<String> operators = new ArrayList<>();
    for (JsonElement node : module.getAsJsonObject("graph").getAsJsonArray("nodes")) {
      operators.add(
          node.getAsJsonObject().get("target").getAsString().replace("torch.ops.aten.", ""));
    }
    return operators;
  }

  private static List<String> inputs(JsonObject module) {
    List<String> names = new ArrayList<>();
    for (JsonElement input : module.getAsJsonObject("graph").getAsJsonArray("inputs")) {
      names.add(input.getAsJsonObject().getAsJsonObject("as_tensor").get("name").getAsString());
    }
    return names;
  }

  private Path changed(UnaryOperator<String> change) {
    Path file = folder.resolve("changed.pt2");
    try (TorchArchive archive = TorchArchive.open(TestModels.model("tied.pt2"));
        var writer = ArchiveWriter.create(file, "tied")) {
      for (ArchiveRecord record : archive.records()) {
        byte[] content = record.readAll(MAX_BYTES);
        writer.record(
            record.name(),
            record.name().equals(GRAPH)
                ? change
                    .apply(new String(content, StandardCharsets.UTF_8))
                    .getBytes(StandardCharsets.UTF_8)
                : content);
      }
      writer.finish();
    }
    return file;
  }

  @Test
  void is_written_for_programs_beside_the_checkpoint() {
    SavedModel saved = quantizeAll(TestModels.model("tied.pt2"), Dtype.INT8);

    assertThat(saved.artifacts())
        .extracting(
            artifact -> artifact.path().getFileName().toString(), artifact -> artifact.format())
        .containsExactly(
            tuple(TorchaoBackend.CHECKPOINT, "pytorch"), tuple(TorchaoBackend.EXPORTED, "pt2"));
    assertThat(saved.report().requirements())
        .extracting(Requirement::of)
        .containsExactly("torchao", "torch");
  }

  @ParameterizedTest
  @CsvSource({"int8,int8", "fp8_e4m3fn,float8_e4m3fn", "fp8_e5m2,float8_e5m2"})
  void weights_are_the_codes_and_scales_of_the_checkpoint(String dtype, ElementType codes) {
    quantizeAll(TestModels.model("mixed.pt2"), Dtype.of(dtype));

    try (TorchModel checkpoint =
            TestModels.open(folder.resolve("out").resolve(TorchaoBackend.CHECKPOINT));
        TorchModel program = TestModels.open(program())) {
      for (String name :
          List.of("embedding.weight", "first.weight", "low.linear.weight", "brain.linear.weight")) {
        var expected = (QuantizedTensor) tensor(checkpoint, name);
        var found = (QuantizedTensor) tensor(program, name);
        assertThat(found.codes().elementType()).isEqualTo(codes);
        assertThat(found.elementType()).isEqualTo(expected.elementType());
        assertThat(bytes(found.codes())).isEqualTo(bytes(expected.codes()));
        assertThat(bytes(found.scales())).isEqualTo(bytes(expected.scales()));
      }
      assertThat(bytes(tensor(program, "norm.weight")))
          .isEqualTo(bytes(tensor(checkpoint, "norm.weight")));
    }
  }

  @Test
  void rows_are_restored_when_they_are_looked_up_and_other_weights_before_they_are_read() {
    quantizeAll(TestModels.model("tied.pt2"), Dtype.INT8);

    assertThat(operators(graph(TestModels.model("tied.pt2"))))
        .filteredOn(operator -> !operator.startsWith("_assert"))
        .startsWith("embedding.default", "to.dtype", "linear.default");
    assertThat(operators(graph(program())))
        .filteredOn(operator -> !operator.startsWith("_assert"))
        .startsWith(
            // Of the rows that are looked up: scales, codes.
            "embedding.default",
            "embedding.default",
            "_to_copy.default",
            "mul.Tensor",
            "to.dtype",
            // Back to float16, which this weight was.
            "_to_copy.default",
            "mul.Tensor",
            "_to_copy.default",
            "linear.default");
  }

  @Test
  void a_table_that_a_node_changes_is_restored_as_a_whole() {
    String lookUp = "{\"target\": \"torch.ops.aten.embedding.default\"";
    Path file =
        changed(
            graph ->
                graph.replace(
                    lookUp,
                    lookUp.replace("embedding.", "embedding_renorm_.")
                        + ", \"inputs\": [{\"name\": \"self\", \"arg\": {\"as_tensor\":"
                        + " {\"name\": \"p_head_weight\"}}, \"kind\": 1}], \"outputs\": [],"
                        + " \"metadata\": {}, \"is_hop_single_tensor_return\": null, \"name\":"
                        + " \"renorm\"}, "
                        + lookUp));

    quantizeAll(file, Dtype.INT8);

    assertThat(operators(graph(program())))
        .startsWith(
            "_to_copy.default", "mul.Tensor", "embedding_renorm_.default", "embedding.default");
  }

  @Test
  void scales_are_parameters_behind_their_codes() {
    quantizeAll(TestModels.model("tied.pt2"), Dtype.INT8);

    JsonObject module = graph(program());
    List<String> inputs = inputs(module);
    assertThat(inputs)
        .containsSubsequence("p_up_linear_weight", "p_up_linear_weight_scale", "tokens")
        .doesNotContain("p_embedding_weight_scale")
        .hasSameSizeAs(module.getAsJsonObject("signature").getAsJsonArray("input_specs").asList());
    assertThat(inputs.get(inputs.indexOf("p_up_linear_weight") + 1))
        .isEqualTo("p_up_linear_weight_scale");
  }

  @Test
  void tied_weights_have_one_record() {
    quantizeAll(TestModels.model("tied.pt2"), Dtype.INT8);

    try (TorchModel program = TestModels.open(program())) {
      assertThat(tensor(program, "head.weight").identity())
          .isEqualTo(tensor(program, "embedding.weight").identity());
    }
    try (TorchArchive archive = TorchArchive.open(program())) {
      // Three weights, each with scales, and five tensors that stay.
      assertThat(archive.records())
          .filteredOn(record -> record.name().startsWith("data/weights/weight_"))
          .hasSize(3 * 2 + 4);
    }
  }

  @Test
  void what_callers_pass_and_get_stays() {
    quantizeAll(TestModels.model("mixed.pt2"), Dtype.INT8);

    try (TorchModel before = TestModels.open(TestModels.model("mixed.pt2"));
        TorchModel after = TestModels.open(program())) {
      assertThat(after.inputs()).isEqualTo(before.inputs());
      assertThat(((ExportedModel) after).torchVersion()).hasValue("2.15");
      assertThat(after.quantizedBy()).hasValueSatisfying(by -> assertThat(by).contains("torchao"));
    }
    assertThat(graph(program()).getAsJsonObject("signature").get("output_specs"))
        .isEqualTo(
            graph(TestModels.model("mixed.pt2")).getAsJsonObject("signature").get("output_specs"));
  }

  @Test
  void values_within_a_nested_graph_are_its_own() {
    String nested =
        "\"inputs\": [{\"name\": \"input\", \"arg\": {\"as_graph\": {\"name\": \"g\", \"graph\":"
            + " {\"inputs\": [{\"as_tensor\": {\"name\": \"p_head_weight\"}}]}}}, \"kind\": 1}, ";
    Path file =
        changed(
            graph ->
                graph.replace(
                    "\"target\": \"torch.ops.aten.layer_norm.default\", \"inputs\": [",
                    "\"target\": \"torch.ops.aten.layer_norm.default\", " + nested));

    quantizeAll(file, Dtype.INT8);

    assertThat(graph(program()).toString())
        .contains("\"graph\":{\"inputs\":[{\"as_tensor\":{\"name\":\"p_head_weight\"}}]}");
  }

  @Test
  void a_weight_that_the_program_returns_stays_floating_point() {
    Path file =
        changed(
            graph ->
                graph.replace(
                    "\"output_specs\": [",
                    "\"output_specs\": [{\"user_output\": {\"arg\": {\"as_tensor\": {\"name\":"
                        + " \"p_up_linear_weight\"}}}}, "));

    SavedModel saved = quantizeAll(file, Dtype.INT8);

    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().module().equals("up.linear"))
        .singleElement()
        .satisfies(
            module -> assertThat(module.note()).contains("the program returns or changes it"));
    try (TorchModel program = TestModels.open(program())) {
      assertThat(tensor(program, "up.linear.weight")).isNotInstanceOf(QuantizedTensor.class);
      assertThat(tensor(program, "up.linear.weight").elementType()).isEqualTo(ElementType.FLOAT16);
    }
  }
}
