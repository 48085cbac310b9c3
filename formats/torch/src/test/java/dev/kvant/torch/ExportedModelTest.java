package dev.kvant.torch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDescription;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs of torch.export: what their graphs tell, and what is refused. */
class ExportedModelTest {

  private static final String GRAPH = "models/model.json";
  private static final String WEIGHTS = "data/weights/model_weights_config.json";
  private static final int MAX_BYTES = 1 << 20;

  private final Path folder;

  ExportedModelTest(@TempDir Path folder) {
    this.folder = folder;
  }

  /** The program of a test with some records changed, or left out where the result is null. */
  private Path changed(BiFunction<String, byte[], byte @Nullable []> change, String... added) {
    Path file = folder.resolve("changed.pt2");
    try (TorchArchive archive = TorchArchive.open(TestModels.path("tied.pt2"));
        var writer = ArchiveWriter.create(file, "tied")) {
      for (ArchiveRecord record : archive.records()) {
        byte[] content = change.apply(record.name(), record.readAll(MAX_BYTES));
        if (content != null) {
          writer.record(record.name(), content);
        }
      }
      for (String name : added) {
        writer.record(name, new byte[0]);
      }
      writer.finish();
    }
    return file;
  }

  private Path changed(String record, String from, String to) {
    return changed(
        (name, content) -> {
          if (!name.equals(record)) {
            return content;
          }
          String text = new String(content, UTF_8);
          assertThat(text).contains(from);
          return text.replace(from, to).getBytes(UTF_8);
        });
  }

  private static void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> new TorchFormat().open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(file.getFileName().toString())
        .hasMessageContaining(message);
  }

  @Test
  void classes_are_those_that_nodes_come_from() {
    try (TorchModel model = TestModels.open("mixed.pt2")) {
      Map<String, List<String>> types =
          model.modules().stream()
              .filter(module -> !module.typesInferred())
              .collect(Collectors.toMap(ModuleDescription::name, ModuleDescription::types));

      assertThat(types)
          .containsEntry("conv", List.of("Conv2d"))
          .containsEntry("lstm", List.of("LSTM"))
          .containsEntry("low", List.of("InFloat16"))
          .containsEntry("stack.3", List.of("Linear"));
      assertThat(model.root().orElseThrow().types()).containsExactly("Mixed");
    }
  }

  @Test
  void a_class_that_no_node_names_is_inferred() {
    try (TorchModel model = TestModels.open("mixed.pt2")) {
      ModuleDescription output =
          model.modules().stream()
              .filter(module -> module.name().equals("attention.out_proj"))
              .findFirst()
              .orElseThrow();

      assertThat(output.types()).containsExactly("NonDynamicallyQuantizableLinear", "Linear");
      assertThat(output.typesInferred()).isTrue();
    }
  }

  @Test
  void a_module_that_is_called_again_has_one_name() {
    Path file = changed(GRAPH, "L__self__head,head,", "L__self__head@1,head@1,");

    try (TorchModel model = new TorchFormat().open(file)) {
      assertThat(model.modules())
          .filteredOn(module -> module.name().equals("head"))
          .singleElement()
          .satisfies(head -> assertThat(head.typesInferred()).isFalse());
    }
  }

  @Test
  void inputs_have_their_types_and_free_dimensions() {
    try (TorchModel model = TestModels.open("tied.pt2")) {
      assertThat(model.inputs())
          .containsExactly(
              InputDescription.of(
                  "tokens", ElementType.INT64, List.of(InputDescription.FREE, 12L)));
    }
  }

  @Test
  void a_pickled_weight_and_one_of_another_type_or_layout_are_opaque() {
    for (Path file :
        List.of(
            changed(WEIGHTS, "\"use_pickle\": false", "\"use_pickle\": true"),
            changed(WEIGHTS, "\"dtype\": 7", "\"dtype\": 10"),
            changed(WEIGHTS, "\"layout\": 7", "\"layout\": 2"))) {
      try (TorchModel model = new TorchFormat().open(file)) {
        assertThat(model.opaqueEntries()).contains("norm.weight");
        assertThat(model.tensors()).doesNotContainKey("norm.weight");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {                        | [                             | is not JSON
          "config": {              | "config": [{                  | is not JSON
          "config"                 | "weights"                     | its 'config' is no object
          "norm.bias"              | "norm.weight"                 | 'norm.weight' is there twice
          "path_name": "weight_0"  | "path_name": "../weight_0"    | has no record 'data/weights/../weight_0'
          "path_name": "weight_0"  | "path_name": 0                | its 'path_name' is no text
          "use_pickle": false      | "use_pickle": 0               | its 'use_pickle' is neither true nor false
          "dtype": 7               | "dtype": 7.5                  | its 'dtype' is no integer
          "dtype": 7               | "dtype": "7"                  | its 'dtype' is no number
          "sizes": [{"as_int": 50} | "sizes": [{"as_int": -50}     | some of them negative
          "sizes": [{"as_int": 50} | "sizes": [{"as_int": 51}      | reaches outside its storage
          "sizes": [{"as_int": 50} | "sizes": [{"as_int": 9223372036854775807} | reaches outside its storage
          "sizes": [{"as_int": 50} | "sizes": [{"as_int": 99999999999999999999} | its 'as_int' is no integer
          "sizes": [{"as_int": 50} | "sizes": [{"as_expr": {}}     | its 'as_int' is no number
          "sizes": [{"as_int": 50} | "sizes": [50                  | an extent is no object
          "storage_offset": {"as_int": 0} | "storage_offset": {"as_int": -1} | reaches outside its storage
          "storage_offset": {"as_int": 0} | "storage_offset": {"as_int": 1000000} | reaches outside its storage
          """)
  void a_damaged_description_of_weights_is_refused(String from, String to, String message) {
    assertRefused(changed(WEIGHTS, from, to), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "graph_module"     | "graph"                  | its 'graph_module' is no object
          "nodes": [         | "nodes": [7,             | a node is no object
          "input_specs": [   | "input_specs": [{},      | a value has 0 kinds instead of one
          "tensor_values": { | "tensor_values": {"tokens": 7, "also": { | is not JSON
          "major": 8         | "major": 9               | has version 9 of the format of torch.export
          "major": 8         | "major": 8, "major": 8   | 'major' is there twice
          """)
  void a_damaged_graph_is_refused(String from, String to, String message) {
    assertRefused(changed(GRAPH, from, to), message);
  }

  @Test
  void nests_without_end_are_refused() {
    assertRefused(
        changed(
            (name, content) ->
                name.equals(GRAPH) ? "{\"a\":[".repeat(100_000).getBytes(UTF_8) : content),
        "is not JSON");
  }

  @Test
  void text_that_is_not_utf_8_is_refused() {
    assertRefused(
        changed((name, content) -> name.equals(GRAPH) ? new byte[] {'"', -1, '"'} : content),
        "is not UTF-8");
  }

  @ParameterizedTest
  @ValueSource(strings = {WEIGHTS, "data/weights/weight_0"})
  void a_missing_record_is_refused(String missing) {
    assertRefused(
        changed((name, content) -> name.equals(missing) ? null : content),
        "has no record '%s'".formatted(missing));
  }

  @Test
  void a_short_record_is_refused() {
    assertRefused(
        changed((name, content) -> name.endsWith("weight_0") ? new byte[10] : content),
        "reaches outside its storage of 10 bytes");
  }

  @Test
  void programs_of_older_torch_are_refused_by_name() {
    assertRefused(
        changed((name, content) -> null, "serialized_exported_program.json"),
        "as torch wrote it before version 2.8; load it with torch.export.load");
    assertRefused(
        changed((name, content) -> content, "data/weights/model.pt"),
        "whose weights are one pickle, as torch 2.8 wrote them");
  }

  @Test
  void packages_of_several_programs_and_of_none_are_refused() {
    assertRefused(
        changed((name, content) -> content, "models/second.json"),
        "with 2 programs (model, second)");
    assertRefused(
        changed((name, content) -> name.equals(GRAPH) ? null : content), "with 0 programs");
  }

  @Test
  void compiled_packages_are_refused() {
    assertRefused(
        changed((name, content) -> content, "data/aotinductor/model/wrapper.so"),
        "contains code that AOTInductor has compiled");
  }

  @Test
  void a_program_without_weights_is_refused() {
    assertRefused(
        changed(
            (name, content) -> name.equals(WEIGHTS) ? "{\"config\": {}}".getBytes(UTF_8) : content),
        "is a torch.export program without weights");
  }
}
