package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ModuleDescription;
import dev.kvant.backend.modelopt.ModelOptOptions.Target;
import dev.kvant.backend.modelopt.ModelOptOptions.Version;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleReader;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelOptCheckpointTest {

  private static final byte[] RECORD = {'r', 0, -1};

  private static final OperandQuantization ROWS =
      new OperandQuantization(Grid.INT8_SYMMETRIC, new float[] {1, 2, 3, 4, 5}, List.of(5L, 1L));
  private static final OperandQuantization FLOAT8 =
      OperandQuantization.perTensor(Grid.FLOAT8_E4M3FN, 2.5f);
  private static final OperandQuantization WIDE_FLOAT8 =
      OperandQuantization.perTensor(Grid.FLOAT8_E5M2, 2.5f);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt", "tied.pt"})
  void every_entry_of_the_state_dict_is_there_in_its_order_and_with_its_bytes(String model) {
    try (ScriptModel source = TestModels.script(TestModels.model(model))) {
      write(source, options());

      try (TorchModel artifact = TestModels.open(file())) {
        assertThat(artifact.tensors().keySet())
            .containsExactlyElementsOf(source.tensors().keySet());
        source
            .tensors()
            .forEach(
                (name, tensor) -> {
                  assertThat(tensor(artifact, name).elementType()).isEqualTo(tensor.elementType());
                  assertThat(bytes(tensor(artifact, name))).as(name).isEqualTo(bytes(tensor));
                });
      }
    }
  }

  @Test
  void ranges_stand_beside_the_tensors_of_their_modules() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(), quantized(source, "stack.3", ROWS, FLOAT8));

      try (TorchModel artifact = TestModels.open(file())) {
        assertThat(artifact.tensors().keySet())
            .containsSubsequence(
                "stack.3.weight",
                "stack.3.bias",
                "stack.3.input_quantizer._amax",
                "stack.3.weight_quantizer._amax")
            .hasSize(source.tensors().size() + 2);
        StoredTensor weights = tensor(artifact, "stack.3.weight_quantizer._amax");
        assertThat(weights.shape()).containsExactly(5L, 1L);
        assertThat(floats(weights)).containsExactly(1, 2, 3, 4, 5);
        StoredTensor input = tensor(artifact, "stack.3.input_quantizer._amax");
        assertThat(input.shape()).isEmpty();
        assertThat(floats(input)).containsExactly(2.5f);
      }
    }
  }

  @Test
  void a_quantizer_says_what_it_does() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(), quantized(source, "stack.3", ROWS, FLOAT8));
    }

    PickleDict weights = quantizer("stack.3.weight_quantizer");
    assertThat(weights.get("_num_bits")).contains(PickleInt.of(8));
    assertThat(weights.get("_axis")).contains(PickleInt.of(0));
    assertThat(weights.get("_disabled")).contains(new PickleBool(false));
    assertThat(buffers(weights)).containsOnlyKeys(new PickleText("_amax"));
    PickleDict input = quantizer("stack.3.input_quantizer");
    assertThat(((PickleTuple) input.get("_num_bits").orElseThrow()).items())
        .containsExactly(PickleInt.of(4), PickleInt.of(3));
    assertThat(input.get("_axis")).contains(PickleNone.NONE);
    for (String unused : List.of("stack.3.output_quantizer", "conv.weight_quantizer")) {
      assertThat(quantizer(unused).get("_disabled")).contains(new PickleBool(true));
      assertThat(buffers(quantizer(unused))).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void a_transposed_convolution_has_ranges_along_its_second_dimension(int channels) {
    var ranges =
        new OperandQuantization(
            Grid.INT8_SYMMETRIC, new float[channels], List.of(1L, (long) channels, 1L, 1L));
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(), quantized(source, "back", ranges, null));
    }

    assertThat(quantizer("back.weight_quantizer").get("_axis")).contains(PickleInt.of(1));
  }

  @Test
  void a_shared_module_has_ranges_under_every_name_and_quantizers_under_the_first() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(), quantized(source, "first", FLOAT8, FLOAT8));
    }

    try (TorchModel artifact = TestModels.open(file())) {
      assertThat(artifact.tensors())
          .containsKeys("first.weight_quantizer._amax", "second.weight_quantizer._amax");
      assertThat(tensor(artifact, "first.weight").identity())
          .isEqualTo(tensor(artifact, "second.weight").identity());
    }
    assertThat(quantizers().get("first.weight_quantizer")).isPresent();
    assertThat(quantizers().get("second.weight_quantizer")).isEmpty();
  }

  @Test
  void what_modelopt_cannot_restore_stays_native() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(), quantized(source, "first", WIDE_FLOAT8, FLOAT8));
    }

    assertThat(quantizer("first.weight_quantizer").get("_disabled")).contains(new PickleBool(true));
    assertThat(quantizer("first.input_quantizer").get("_disabled")).contains(new PickleBool(false));
    try (TorchModel artifact = TestModels.open(file())) {
      assertThat(artifact.tensors())
          .containsKey("first.input_quantizer._amax")
          .doesNotContainKey("first.weight_quantizer._amax");
    }
  }

  @ParameterizedTest
  @CsvSource({"V0_33,0.33.1", "V0_47,0.47.0"})
  void it_is_of_the_version_that_was_asked_for(Version version, String release) {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options(version, List.of()));
    }

    assertThat(state().get("modelopt_version")).contains(new PickleText(release));
    assertThat(quantizers().get("embedding.weight_quantizer").isPresent())
        .isEqualTo(version == Version.V0_47);
  }

  @Test
  void buffers_that_python_does_not_save_are_left_out_and_told() {
    try (ScriptModel source = TestModels.script(TestModels.golden("bert.pt"))) {
      ModelOptCheckpoint.Outcome outcome = write(source, options());

      assertThat(source.tensors()).containsKey("embeddings.position_ids");
      assertThat(outcome.buffers()).contains("embeddings.position_ids");
      assertThat(outcome.unusedPatterns()).isEmpty();
      try (TorchModel artifact = TestModels.open(file())) {
        assertThat(artifact.tensors())
            .hasSize(source.tensors().size() - outcome.buffers().size())
            .doesNotContainKey("embeddings.position_ids");
      }
    }
  }

  @Test
  void buffers_are_left_out_by_patterns_which_never_reach_parameters() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      ModelOptCheckpoint.Outcome outcome =
          write(
              source, options(Version.V0_47, List.of("posit*", "first.weight", "norms.running_*")));

      assertThat(outcome.buffers())
          .containsExactlyInAnyOrder("positions", "norms.running_mean", "norms.running_var");
      assertThat(outcome.unusedPatterns()).containsExactly("first.weight");
      try (TorchModel artifact = TestModels.open(file())) {
        assertThat(artifact.tensors())
            .containsKey("first.weight")
            .doesNotContainKeys("positions", "norms.running_mean");
      }
    }
  }

  @Test
  void what_modelopt_itself_saves_is_read_as_a_state_dict_with_quantizers() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"));
        TorchModel saved = TestModels.open(TestModels.golden("mixed.pth"))) {
      assertThat(saved.tensors()).containsKeys("stack.3.weight", "stack.3.weight_quantizer._amax");
      assertThat(saved.modules())
          .filteredOn(module -> module.type().equals("TensorQuantizer"))
          .extracting(ModuleDescription::name)
          .contains("conv.input_quantizer", "lstm.weight_ih_l0_weight_quantizer");
      assertThat(saved.modules())
          .filteredOn(module -> module.type().equals("Linear"))
          .extracting(ModuleDescription::name)
          .containsAll(
              source.modules().stream()
                  .filter(module -> module.type().equals("Linear"))
                  .map(ModuleDescription::name)
                  .toList());
    }
  }

  @Test
  void the_record_is_read_back() {
    try (ScriptModel source = TestModels.script(TestModels.model("mixed.pt"))) {
      write(source, options());
    }

    try (TorchModel artifact = TestModels.open(file())) {
      assertThat(artifact.record())
          .hasValueSatisfying(record -> assertThat(record).isEqualTo(RECORD));
    }
  }

  private ModelOptCheckpoint.Outcome write(
      ScriptModel source, ModelOptOptions options, ModuleQuantization... modules) {
    return ModelOptCheckpoint.write(
        file(),
        source,
        List.of(modules),
        options,
        () -> RECORD,
        ByteBuffer.allocate(1 << 10),
        (bytes, tensor) -> {});
  }

  private static ModuleQuantization quantized(
      ScriptModel source,
      String name,
      OperandQuantization weights,
      @Nullable OperandQuantization input) {
    ModuleDescription module =
        source.modules().stream()
            .filter(candidate -> candidate.names().contains(name))
            .findFirst()
            .orElseThrow();
    return new ModuleQuantization(module, Optional.of(weights), Optional.ofNullable(input));
  }

  private static ModelOptOptions options() {
    return options(Version.V0_47, List.of());
  }

  private static ModelOptOptions options(Version version, List<String> dropBuffers) {
    return new ModelOptOptions(Target.PORTABLE, true, false, version, dropBuffers);
  }

  private Path file() {
    return folder.resolve(ModelOptBackend.CHECKPOINT);
  }

  private PickleDict state() {
    try (TorchArchive archive = TorchArchive.open(file())) {
      PickleValue root =
          PickleReader.read(archive.record("data.pkl").readAll(1 << 20), file().toString());
      return (PickleDict) ((PickleDict) root).get("modelopt_state").orElseThrow();
    }
  }

  private PickleDict quantizers() {
    PickleList modes = (PickleList) state().get("modelopt_state_dict").orElseThrow();
    PickleTuple mode = (PickleTuple) modes.items().get(0);
    assertThat(mode.get(0)).isEqualTo(new PickleText("quantize"));
    PickleDict metadata = (PickleDict) ((PickleDict) mode.get(1)).get("metadata").orElseThrow();
    return (PickleDict) metadata.get("quantizer_state").orElseThrow();
  }

  private PickleDict quantizer(String name) {
    return (PickleDict) quantizers().get(name).orElseThrow();
  }

  private static Map<PickleValue, PickleValue> buffers(PickleDict quantizer) {
    PickleDict metadata = (PickleDict) quantizer.get("_pytorch_state_metadata").orElseThrow();
    return ((PickleDict) metadata.get("buffers").orElseThrow()).entries();
  }

  private static StoredTensor tensor(TorchModel model, String name) {
    return Objects.requireNonNull(model.tensors().get(name), name);
  }

  private static byte[] bytes(StoredTensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes());
    tensor.read(0, bytes);
    return bytes.array();
  }

  private static float[] floats(StoredTensor tensor) {
    float[] values = new float[(int) tensor.elements()];
    ByteBuffer.wrap(bytes(tensor)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}
