package dev.kvant.backend.compressedtensors;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.Artifact;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.KvantException;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.tck.SampleFile;
import dev.kvant.tck.StoredValues;
import dev.kvant.torch.TorchFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The folder of a checkpoint")
class CheckpointFolderTest {

  private static final String ATTENTION = "model.layers.0.self_attn.";

  @TempDir private Path folder;
  private Path source = Path.of("");
  private Path results = Path.of("");

  @BeforeEach
  void nameFolders() {
    source = folder.resolve("source");
    results = folder.resolve("results");
  }

  private static JsonObject json(Path file) throws IOException {
    return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
  }

  private JsonObject section() throws IOException {
    return json(results.resolve("config.json")).getAsJsonObject("quantization_config");
  }

  private List<String> written() throws IOException {
    try (Stream<Path> files = Files.walk(results)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> results.relativize(file).toString())
          .sorted()
          .toList();
    }
  }

  private static List<String> warnings(SavedModel saved) {
    return saved.report().warnings().stream().map(QuantizationWarning::message).toList();
  }

  @Test
  void says_in_its_configuration_how_it_is_quantized_and_keeps_the_rest() throws IOException {
    Quantization.weights(Folders.decoder(source)).all(Dtype.INT8).into(results);

    assertThat(Files.readString(results.resolve("config.json")))
        .contains("\"rms_norm_eps\": 1e-05", "\"limit\": Infinity");
    assertThat(section().get("quant_method").getAsString()).isEqualTo("compressed-tensors");
    assertThat(section().get("format").getAsString()).isEqualTo("pack-quantized");
    assertThat(section().get("ignore")).hasToString("[\"lm_head\"]");
    JsonObject group = section().getAsJsonObject("config_groups").getAsJsonObject("group_0");
    assertThat(group.get("targets")).hasToString("[\"Linear\"]");
    assertThat(group.get("weights"))
        .hasToString(
            "{\"num_bits\":8,\"type\":\"int\",\"symmetric\":true,\"dynamic\":false,\"strategy\":\"channel\"}");
    assertThat(group.get("input_activations").isJsonNull()).isTrue();
  }

  @Test
  void names_its_framework_in_the_header_of_the_file() throws IOException {
    Quantization.weights(Folders.decoder(source)).all(Dtype.INT8).into(results);

    byte[] file = Files.readAllBytes(results.resolve("model.safetensors"));
    assertThat(new String(file, 8, 60, StandardCharsets.UTF_8))
        .startsWith("{\"__metadata__\":{\"format\":\"pt\"},");
  }

  @Test
  void has_a_group_for_each_scheme_of_a_mixed_plan() throws IOException {
    Quantization.weights(Folders.decoder(source))
        .all(Dtype.of("int4"))
        .module(ATTENTION + "v_proj", Dtype.INT8)
        .into(results);

    assertThat(section().get("format").getAsString()).isEqualTo("pack-quantized");
    JsonObject groups = section().getAsJsonObject("config_groups");
    assertThat(groups.getAsJsonObject("group_0").get("targets"))
        .hasToString("[\"%1$sq_proj\",\"%1$sk_proj\"]".formatted(ATTENTION));
    assertThat(groups.getAsJsonObject("group_1").get("targets"))
        .hasToString("[\"%sv_proj\"]".formatted(ATTENTION));
    assertThat(groups.getAsJsonObject("group_0").getAsJsonObject("weights").get("group_size"))
        .hasToString("128");
  }

  @Test
  void warns_of_merged_modules_with_different_schemes() throws IOException {
    SavedModel saved =
        Quantization.weights(Folders.decoder(source))
            .all(Dtype.INT8)
            .module(ATTENTION + "v_proj", Dtype.NATIVE)
            .into(results);

    assertThat(warnings(saved))
        .singleElement()
        .asString()
        .startsWith("engines that merge " + ATTENTION)
        .contains(ATTENTION + "v_proj")
        .endsWith("unless all of them have one scheme");
    assertThat(section().get("ignore").toString()).contains(ATTENTION + "v_proj");
  }

  @Test
  void counts_further_sets_of_merged_modules_with_different_schemes() throws IOException {
    SampleFile file = SampleFile.named("three layers");
    for (int layer = 0; layer < 3; layer++) {
      for (String name : List.of("gate_proj", "up_proj")) {
        file.tensor(
            "model.layers.%d.mlp.%s.weight".formatted(layer, name), ElementType.FLOAT32, 8, 128);
      }
    }
    Folders.put(file, source.resolve("model.safetensors"));
    Files.writeString(source.resolve("config.json"), Folders.CONFIG);
    for (int sets = 2; sets <= 3; sets++) {
      Quantization run = Quantization.weights(source).all(Dtype.INT8);
      for (int layer = 0; layer < sets; layer++) {
        run.module("model.layers.%d.mlp.up_proj".formatted(layer), Dtype.NATIVE);
      }

      SavedModel saved = run.into(results);

      assertThat(warnings(saved))
          .singleElement()
          .asString()
          .endsWith(
              sets == 2
                  ? "; the same holds for 1 more set of modules"
                  : "; the same holds for 2 more sets of modules");
    }
  }

  @Test
  void describes_inputs_that_are_quantized_at_run_time() throws IOException {
    Quantization.dynamic(Folders.decoder(source))
        .all(Dtype.FP8_E4M3FN)
        .granularity(Granularity.block(128, 128))
        .into(results);

    JsonObject group = section().getAsJsonObject("config_groups").getAsJsonObject("group_0");
    assertThat(group.getAsJsonObject("weights").get("block_structure")).hasToString("[128,128]");
    assertThat(group.get("input_activations"))
        .hasToString(
            "{\"num_bits\":8,\"type\":\"float\",\"symmetric\":true,\"dynamic\":true,\"strategy\":\"group\",\"group_size\":128}");
  }

  @Test
  void keeps_the_shards_of_the_source_and_writes_their_index_anew() throws IOException {
    SavedModel saved =
        Quantization.weights(Folders.sharded(source)).all(Dtype.of("int4")).into(results);

    assertThat(written())
        .containsExactly(
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json");
    Artifact main = saved.artifacts().get(0);
    assertThat(main.path()).isEqualTo(results.resolve("model.safetensors.index.json"));
    JsonObject index = json(main.path());
    assertThat(
            index
                .getAsJsonObject("weight_map")
                .get("model.layers.1.mlp.up_proj.weight_packed")
                .getAsString())
        .isEqualTo("model-00002-of-00002.safetensors");
    try (QuantizableModel opened = new TorchFormat().open(results)) {
      assertThat(opened.tensors()).hasSize(4 * 3 + 1);
      assertThat(opened.tensorBytes())
          .isEqualTo(index.getAsJsonObject("metadata").get("total_size").getAsLong());
      assertThat(opened.quantizedBy()).get().asString().startsWith("compressed-tensors");
    }
  }

  @Test
  void has_files_of_the_size_that_is_requested() throws IOException {
    // 3000 bytes: two of the weights with 1072, the third and one of 1600, the table of 8192.
    Quantization.weights(Folders.sharded(source))
        .all(Dtype.of("int4"))
        .option("shard_gigabytes", 3e-6)
        .into(results);

    assertThat(written())
        .containsExactly(
            "config.json",
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json");
    assertThat(
            json(results.resolve("model.safetensors.index.json"))
                .getAsJsonObject("weight_map")
                .get(ATTENTION + "v_proj.weight_packed")
                .getAsString())
        .isEqualTo("model-00002-of-00003.safetensors");
    try (QuantizableModel opened = new TorchFormat().open(results)) {
      assertThat(opened.tensors()).hasSize(4 * 3 + 1);
    }
    Quantization.weights(source)
        .all(Dtype.of("int4"))
        .option("shard_gigabytes", 1)
        .into(folder.resolve("one"));
    assertThat(folder.resolve("one/model.safetensors")).exists();
    assertThat(folder.resolve("one/model.safetensors.index.json")).doesNotExist();
  }

  @Test
  void is_refused_with_files_of_no_size() {
    for (Object size : List.of(0, -1, Double.NaN)) {
      ModelQuantizationConfig config =
          ModelQuantizationConfig.builder()
              .backend("compressed-tensors")
              .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
              .backendKwarg("shard_gigabytes", size)
              .build();

      assertThat(new CompressedTensorsBackend().validate(config))
          .singleElement()
          .satisfies(
              problem -> assertThat(problem.message()).isEqualTo("must be above 0, was " + size));
    }
  }

  @Test
  void is_refused_with_different_dtypes_of_weights_and_activations() {
    Dtype fp8 = Dtype.FP8_E4M3FN;
    assertThat(problems(dynamic(Dtype.INT8, fp8)))
        .containsExactly(
            "quantize.default_activation_dtype: weights and activations must have the same dtype, or activations must be native; they are int8 and fp8_e4m3fn");
    assertThat(
            problems(dynamic(fp8, fp8).layer(LayerQuantizationConfig.weights("*.a", Dtype.INT8))))
        .singleElement()
        .asString()
        .startsWith("quantize.layers[0]: ")
        .endsWith("they are int8 and fp8_e4m3fn");
    assertThat(
            problems(
                dynamic(fp8, fp8)
                    .layer(
                        new LayerQuantizationConfig(
                            "*.a", null, ActivationQuantizationConfig.of(Dtype.INT8)))))
        .singleElement()
        .asString()
        .endsWith("they are fp8_e4m3fn and int8");
    assertThat(
            problems(
                dynamic(Dtype.NATIVE, Dtype.NATIVE)
                    .layer(LayerQuantizationConfig.of("*.a", Dtype.NATIVE, fp8))))
        .singleElement()
        .asString()
        .endsWith("they are native and fp8_e4m3fn");
  }

  @Test
  void is_not_refused_with_equal_dtypes_of_weights_and_activations() {
    Dtype fp8 = Dtype.FP8_E4M3FN;
    assertThat(problems(dynamic(fp8, fp8))).isEmpty();
    assertThat(problems(dynamic(fp8, Dtype.NATIVE))).isEmpty();
    assertThat(
            problems(dynamic(Dtype.NATIVE, fp8).layer(LayerQuantizationConfig.weights("*", fp8))))
        .isEmpty();
    assertThat(
            problems(
                dynamic(fp8, fp8).layer(LayerQuantizationConfig.weights("lm_head", Dtype.NATIVE))))
        .isEmpty();
    // Both rules reach the same modules.
    assertThat(
            problems(
                dynamic(fp8, fp8)
                    .layer(LayerQuantizationConfig.weights("*.a", Dtype.INT8))
                    .layer(
                        new LayerQuantizationConfig(
                            "*.a", null, ActivationQuantizationConfig.of(Dtype.INT8)))))
        .isEmpty();
  }

  private static ModelQuantizationConfig.Builder dynamic(Dtype weights, Dtype activations) {
    return ModelQuantizationConfig.builder()
        .backend("compressed-tensors")
        .mode(QuantizationMode.DYNAMIC_PTQ)
        .defaultLayerDtype(weights)
        .defaultActivationDtype(activations);
  }

  private static List<String> problems(ModelQuantizationConfig.Builder config) {
    return new CompressedTensorsBackend()
        .validate(config.build()).stream().map(ConfigurationProblem::toString).toList();
  }

  @Test
  void contains_all_else_of_the_source_but_weights_and_hidden_files() throws IOException {
    Folders.decoder(source);
    Files.createDirectories(source.resolve("1_Pooling"));
    Files.writeString(source.resolve("1_Pooling/config.json"), "{\"pooling\": 1}");
    Files.writeString(source.resolve("a b\tö.txt"), "odd");
    Files.createDirectories(source.resolve(".cache"));
    Files.writeString(source.resolve(".cache/x"), "");
    Files.writeString(source.resolve("pytorch_model.bin"), "weights");
    Files.createDirectories(source.resolve("original"));
    Files.writeString(source.resolve("original/consolidated.00.pth"), "weights");

    SavedModel saved = Quantization.weights(source).all(Dtype.INT8).into(results);

    assertThat(written())
        .containsExactly(
            "1_Pooling/config.json",
            "a b\tö.txt",
            "config.json",
            "model.safetensors",
            "tokenizer.json");
    assertThat(Files.readString(results.resolve("1_Pooling/config.json")))
        .isEqualTo("{\"pooling\": 1}");
    assertThat(warnings(saved))
        .containsExactly(
            "not copied: .cache (hidden), original/consolidated.00.pth (weights), pytorch_model.bin (weights)");
  }

  @Test
  void contains_no_weights_that_were_not_opened_and_names_them() throws IOException {
    for (boolean isSharded : new boolean[] {false, true}) {
      source = folder.resolve("source" + isSharded);
      results = folder.resolve("results" + isSharded);
      if (isSharded) {
        Folders.sharded(source);
      } else {
        Folders.decoder(source);
      }
      for (String name : List.of("consolidated", "adapter_model", "model-00003-of-00003")) {
        Files.writeString(source.resolve(name + ".safetensors"), "weights");
      }
      Files.writeString(source.resolve("pytorch_model.bin.index.json"), "{}");
      Files.writeString(source.resolve("adapter_config.json"), "{}");

      SavedModel saved = Quantization.weights(source).all(Dtype.INT8).into(results);

      assertThat(warnings(saved))
          .containsExactly(
              "not copied: adapter_model.safetensors (weights), consolidated.safetensors (weights), model-00003-of-00003.safetensors (weights), pytorch_model.bin.index.json (weights)");
      assertThat(written())
          .contains("adapter_config.json")
          .doesNotContain("adapter_model.safetensors", "consolidated.safetensors");
    }
  }

  @Test
  void contains_what_links_point_to_and_never_opens_pipes() throws Exception {
    Folders.decoder(source);
    Path blob = Files.writeString(folder.resolve("blob"), "{\"linked\": 1}");
    Files.createSymbolicLink(source.resolve("linked.json"), blob);
    Files.createSymbolicLink(source.resolve("broken.json"), folder.resolve("nothing"));
    Files.createSymbolicLink(source.resolve("loop"), source);
    Process pipe = new ProcessBuilder("mkfifo", source.resolve("pipe").toString()).start();
    assumeTrue(pipe.waitFor() == 0, "mkfifo is not here");

    SavedModel saved = Quantization.weights(source).all(Dtype.INT8).into(results);

    assertThat(Files.readString(results.resolve("linked.json"))).isEqualTo("{\"linked\": 1}");
    assertThat(Files.isSymbolicLink(results.resolve("linked.json"))).isFalse();
    assertThat(warnings(saved))
        .containsExactly(
            "not copied: broken.json (not a file), loop (not a file), pipe (not a file)");
  }

  @Test
  void may_be_within_that_of_the_source() throws IOException {
    Folders.decoder(source);
    results = source.resolve("quantized");
    Quantization.weights(source).all(Dtype.INT8).into(results);

    Quantization.weights(source).all(Dtype.INT8).into(results);

    assertThat(written()).containsExactly("config.json", "model.safetensors", "tokenizer.json");
  }

  @Test
  void is_never_that_of_the_source() throws IOException {
    Folders.decoder(source);
    byte[] before = Files.readAllBytes(source.resolve("model.safetensors"));

    assertThatThrownBy(() -> Quantization.weights(source).all(Dtype.INT8).into(source))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("would replace the model");
    assertThat(source.resolve("model.safetensors")).hasBinaryContent(before);
  }

  @Test
  void is_refused_if_readers_would_mix_it_with_another_checkpoint() throws IOException {
    Quantization.weights(Folders.sharded(source)).all(Dtype.INT8).into(results);
    Path other = Folders.decoder(folder.resolve("other"));

    assertThatThrownBy(() -> Quantization.weights(other).all(Dtype.INT8).into(results))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("holds another checkpoint")
        .hasMessageContaining("model-00001-of-00002.safetensors");
  }

  @Test
  void is_written_again_in_shards() throws IOException {
    Folders.sharded(source);
    Quantization.weights(source).all(Dtype.INT8).into(results);
    List<String> before = written();

    Quantization.weights(source).all(Dtype.of("int4")).into(results);

    assertThat(written()).isEqualTo(before).contains("model.safetensors.index.json");
    try (QuantizableModel opened = new TorchFormat().open(results)) {
      assertThat(opened.tensors()).hasSize(4 * 3 + 1);
      // 128 values of 4 bits in words of 32.
      assertThat(new Stored(opened, ATTENTION + "q_proj").tensor("_packed").shape())
          .containsExactly(16L, 16L);
    }
  }

  @Test
  void loses_the_description_of_the_layout_of_an_earlier_run() throws IOException {
    Folders.decoder(source);
    Quantization.dynamic(source).all(Dtype.FP8_E4M3FN).option("layout", "modelopt").into(results);
    assertThat(written()).contains("hf_quant_config.json");

    Quantization.dynamic(source).all(Dtype.INT8).into(results);

    assertThat(written()).containsExactly("config.json", "model.safetensors", "tokenizer.json");
    assertThat(section().get("quant_method").getAsString()).isEqualTo("compressed-tensors");
  }

  @Test
  void is_written_from_a_file_with_the_configuration_beside_it() throws IOException {
    Folders.decoder(source);

    Quantization.weights(source.resolve("model.safetensors")).all(Dtype.INT8).into(results);

    assertThat(written()).containsExactly("config.json", "model.safetensors");
    assertThat(Files.readString(results.resolve("config.json"))).contains("LlamaForCausalLM");
  }

  @Test
  void is_written_with_a_warning_without_a_configuration() throws IOException {
    Folders.decoder(source);
    Files.delete(source.resolve("config.json"));

    SavedModel saved = Quantization.weights(source).all(Dtype.INT8).into(results);

    assertThat(warnings(saved)).singleElement().asString().contains("there is no config.json");
    assertThat(section().get("format").getAsString()).isEqualTo("pack-quantized");
  }

  @Test
  void is_not_written_with_a_damaged_configuration() throws IOException {
    for (String damaged : List.of("{\"a\":", "[1]", "\u0000")) {
      Folders.decoder(source);
      Files.writeString(source.resolve("config.json"), damaged);

      assertThatThrownBy(() -> Quantization.weights(source).all(Dtype.INT8).into(results))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("config.json");
      assertThat(results).doesNotExist();
    }
  }

  @Test
  void has_the_layout_of_modelopt_if_that_is_requested() throws IOException {
    Quantization.dynamic(Folders.decoder(source))
        .all(Dtype.FP8_E4M3FN)
        .option("layout", "modelopt")
        .into(results);

    JsonObject file = json(results.resolve("hf_quant_config.json"));
    assertThat(file.getAsJsonObject("producer").get("name").getAsString()).isEqualTo("modelopt");
    assertThat(file.get("quantization"))
        .hasToString(
            "{\"quant_algo\":\"FP8_PER_CHANNEL_PER_TOKEN\",\"kv_cache_quant_algo\":null,\"exclude_modules\":[\"lm_head\"]}");
    assertThat(section().get("quant_method").getAsString()).isEqualTo("modelopt");
    try (QuantizableModel opened = new TorchFormat().open(results)) {
      var weight = new Stored(opened, ATTENTION + "q_proj");
      assertThat(weight.tensor("_scale").shape()).containsExactly(16L);
      assertThat(weight.tensor("_scale").elementType()).isEqualTo(ElementType.FLOAT32);
      assertThat(opened.quantizedBy()).isPresent();
    }
  }

  @Test
  void stores_nvfp4_in_the_layout_of_modelopt() throws IOException {
    SavedModel saved =
        Quantization.weights(Folders.decoder(source))
            .all(Dtype.of("nvfp4"))
            .option("layout", "modelopt")
            .into(results);

    try (QuantizableModel before = new TorchFormat().open(source);
        QuantizableModel opened = new TorchFormat().open(results)) {
      String module = ATTENTION + "k_proj";
      var weight = new Stored(opened, module);
      assertThat(weight.tensor("").shape()).containsExactly(16L, 64L);
      assertThat(weight.tensor("_scale_2").shape()).isEmpty();
      float[] trained =
          StoredValues.floats(requireNonNull(before.tensors().get(module + ".weight")));
      double measured = QuantizationError.between(trained, weight.restored()).sqnrDecibels();
      assertThat(measured).isBetween(19.0, 22.0);
      assertThat(
              saved.report().modules().stream()
                  .filter(report -> report.decision().module().equals(module))
                  .map(report -> report.weights().sqnrDecibels())
                  .toList())
          .containsExactly(measured);
    }
  }

  @Test
  void is_refused_in_the_layout_of_modelopt_for_what_that_has_not() {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("compressed-tensors")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .defaultLayerDtype(Dtype.INT8)
            .backendKwarg("layout", "modelopt")
            .build();

    assertThat(new CompressedTensorsBackend().validate(config))
        .singleElement()
        .satisfies(
            problem ->
                assertThat(problem.message())
                    .isEqualTo(
                        "modelopt stores nvfp4 in weight_only_ptq without calibration, not int8"));
  }

  @Test
  void gives_weights_that_engines_merge_one_global_scale() throws IOException {
    Quantization.weights(Folders.decoder(source)).all(Dtype.of("nvfp4")).into(results);

    try (QuantizableModel opened = new TorchFormat().open(results)) {
      List<Float> scales =
          Stream.of("q_proj", "k_proj", "v_proj")
              .map(name -> new Stored(opened, ATTENTION + name).tensor("_global_scale"))
              .map(tensor -> StoredValues.floats(tensor)[0])
              .toList();
      assertThat(scales.stream().distinct().toList()).hasSize(1);
    }
  }

  @Test
  void keeps_output_layers_routers_and_fused_experts_native_with_a_reason() throws IOException {
    Folders.put(
        SampleFile.named("a mixture")
            .tensor("lm_head.weight", ElementType.FLOAT32, 8, 128)
            .tensor("model.layers.0.mlp.gate.weight", ElementType.FLOAT32, 4, 128)
            .tensor("model.layers.0.mlp.experts.gate_up_proj", ElementType.FLOAT32, 4, 8, 128)
            .tensor("model.layers.0.mlp.experts.0.w1.weight", ElementType.FLOAT32, 8, 100)
            .tensor("model.layers.0.mlp.experts.0.w2.weight", ElementType.FLOAT32, 8, 128),
        source.resolve("model.safetensors"));

    SavedModel saved = Quantization.weights(source).all(Dtype.of("int4")).into(results);

    assertThat(reason(saved, "lm_head")).contains("output layer");
    assertThat(reason(saved, "model.layers.0.mlp.gate")).contains("routers");
    assertThat(reason(saved, "model.layers.0.mlp.experts")).contains("three dimensions");
    assertThat(reason(saved, "model.layers.0.mlp.experts.0.w1"))
        .isEqualTo("its rows of 100 values do not fall into groups of 128");
    assertThat(reason(saved, "model.layers.0.mlp.experts.0.w2")).isEqualTo("null");
    assertThat(section().get("ignore"))
        .hasToString(
            "[\"lm_head\",\"model.layers.0.mlp.gate\",\"model.layers.0.mlp.experts.0.w1\"]");
  }

  private static String reason(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .map(ModuleReport::weights)
        .map(outcome -> String.valueOf(outcome.reason()))
        .findFirst()
        .orElseThrow();
  }
}
