package dev.kvant.backend.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.KvantException;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.gguf.GgufFile;
import dev.kvant.gguf.GgufFormat;
import dev.kvant.kit.NamedTensorsModel;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A run of the GGUF backend")
class GgufRunTest {

  private static final GgufBackend BACKEND = new GgufBackend();

  private static final ModelQuantizationConfig CONFIG =
      ModelQuantizationConfig.builder()
          .backend("gguf")
          .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
          .build();

  @TempDir Path folder;

  private static Support support(ModuleDescription module, String dtype) {
    return BACKEND.supports(
        new SupportQuery(module, Operand.WEIGHTS, Dtype.of(dtype), null, "gguf", CONFIG));
  }

  /** Quantizes each module to what is asked for it, or says why it does not. */
  private static QuantizationPlan plan(QuantizableModel model, Function<String, String> dtypes) {
    List<ModuleDecision> decisions = new ArrayList<>();
    for (ModuleDescription module : model.modules()) {
      if (module.hasWeights()) {
        Dtype dtype = Dtype.of(dtypes.apply(module.name()));
        boolean isNative = dtype.isNative() || support(module, dtype.name()) instanceof Support.No;
        decisions.add(
            new ModuleDecision(
                module.name(),
                "",
                true,
                new OperandDecision(
                    isNative ? Dtype.NATIVE : dtype,
                    dtype,
                    null,
                    List.of(),
                    null,
                    Map.of(),
                    OperandSettings.DEFAULT),
                OperandDecision.untouched()));
      }
    }
    return new QuantizationPlan("gguf", QuantizationMode.WEIGHT_ONLY_PTQ, decisions, List.of());
  }

  private SavedModel quantize(Path source, Function<String, String> dtypes) {
    try (QuantizableModel model = new GgufFormat().open(source);
        var run =
            BACKEND.begin(
                model,
                plan(model, dtypes),
                RunContext.builder(CONFIG, BACKEND.descriptor()).parallelism(2).build())) {
      return run.save(folder);
    }
  }

  private GgufFile written() {
    return GgufFile.open(folder.resolve("quantized_model.gguf"));
  }

  private static String type(GgufFile file, String tensor) {
    return Objects.requireNonNull(file.tensors().get(tensor), tensor).elementType().label();
  }

  @Test
  @DisplayName("quantizes weights and leaves norms, biases, positions and routers as they are")
  void types() {
    quantize(Samples.decoder("types", ElementType.FLOAT16).write(), module -> "q8_0");

    try (GgufFile file = written()) {
      assertThat(file.tensors().keySet())
          .containsExactly(
              "token_embd.weight",
              "position_embd.weight",
              "blk.0.attn_norm.weight",
              "blk.0.attn_q.weight",
              "blk.0.attn_q.bias",
              "blk.0.ffn_gate_inp.weight",
              "blk.0.ffn_gate_exps.weight",
              "blk.0.ffn_down.weight",
              "blk.0.ffn_up.weight");
      assertThat(file.tensors().values())
          .extracting(tensor -> tensor.elementType().label())
          .containsExactly(
              "q8_0", "float16", "float32", "q8_0", "float32", "float16", "q8_0", "q8_0",
              "float16");
    }
  }

  @Test
  @DisplayName("copies the metadata in its order and says what most weights have become")
  void metadata() {
    quantize(
        Samples.decoder("metadata", ElementType.FLOAT32).write(),
        module -> module.contains("attn_q") ? "q4_k" : "q6_k");

    try (GgufFile file = written()) {
      assertThat(file.metadata().keySet())
          .containsExactly(
              "test.first", "general.file_type", "test.last", "general.quantization_version");
      assertThat(number(file, "test.first")).isEqualTo(1);
      assertThat(number(file, "general.file_type")).isEqualTo(14);
      assertThat(number(file, "general.quantization_version")).isEqualTo(2);
    }
  }

  private static long number(GgufFile file, String key) {
    GgufEntry entry = Objects.requireNonNull(file.metadata().get(key), key);
    return entry.integer().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"q8_0, 7", "q4_0, 2", "q4_1, 3", "q5_0, 8", "q5_1, 9", "q4_k, 14", "q6_k, 18"})
  @DisplayName("numbers its file as llama.cpp does")
  void fileType(String dtype, long number) {
    quantize(Samples.decoder("file type", ElementType.FLOAT16).write(), module -> dtype);

    try (GgufFile file = written()) {
      assertThat(number(file, "general.file_type")).isEqualTo(number);
      assertThat(type(file, "token_embd.weight")).isEqualTo(dtype);
    }
  }

  @Test
  @DisplayName("gives the source again, byte for byte, where nothing is quantized")
  void nothing() throws IOException {
    Path source = Samples.decoder("nothing", ElementType.BFLOAT16).write();

    quantize(source, module -> "native");

    assertThat(folder.resolve("quantized_model.gguf")).hasSameBinaryContentAs(source);
  }

  @Test
  @DisplayName("reports the type that a weight has instead, as llama.cpp would choose it")
  void fallback() {
    SavedModel saved =
        quantize(
            Samples.decoder("fallback", ElementType.FLOAT16).write(),
            module -> module.contains("ffn_down") ? "q4_k" : "native");

    ModuleReport report =
        saved.report().modules().stream()
            .filter(module -> module.decision().module().equals("blk.0.ffn_down"))
            .findFirst()
            .orElseThrow();
    assertThat(report.weights().dtype()).isEqualTo(Dtype.of("q5_0"));
    assertThat(report.weights().granularity()).isEqualTo(Granularity.group(32));
    assertThat(report.weights().reason())
        .isEqualTo(
            "its rows of 96 values do not fall into blocks of 256 for q4_k, so it is stored as q5_0, as llama.cpp does");
    assertThat(report.bytesBefore() - report.bytesAfter()).isEqualTo(16 * 96 * 2 - 16 * 3 * 22);
    try (GgufFile file = written()) {
      assertThat(type(file, "blk.0.ffn_down.weight")).isEqualTo("q5_0");
      assertThat(number(file, "general.file_type")).isEqualTo(8);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "blk.0.attn_norm, q8_0, 'llama.cpp reads weights of one dimension only as they are'",
    "position_embd, q8_0, llama.cpp keeps this tensor of an architecture in floating point",
    "blk.0.ffn_gate_inp, q4_0, llama.cpp keeps this tensor of an architecture in floating point",
    "blk.0.ffn_up, q8_0, its rows of 40 values do not fall into blocks of 32",
    "blk.0.ffn_up, q4_k, its rows of 40 values do not fall into blocks of 32",
    "blk.0.attn_q, int8, GGUF files store no weights of int8",
  })
  @DisplayName("is not planned for a weight that stays native, and says why")
  void reasons(String module, String dtype, String reason) {
    try (QuantizableModel model =
        new GgufFormat().open(Samples.decoder("reasons", ElementType.FLOAT16).write())) {
      ModuleDescription description =
          model.modules().stream()
              .filter(each -> each.name().equals(module))
              .findFirst()
              .orElseThrow();

      assertThat(support(description, dtype)).isEqualTo(Support.no(reason));
    }
  }

  @Test
  @DisplayName("writes nothing from a file that changes while it is read")
  void changedSource() throws IOException {
    Path source = folder.resolve("source.gguf");
    Files.copy(Samples.decoder("changed", ElementType.FLOAT16).write(), source);
    RunContext context = RunContext.builder(CONFIG, BACKEND.descriptor()).build();

    try (QuantizableModel model = new GgufFormat().open(source);
        var run = BACKEND.begin(model, plan(model, module -> "q8_0"), context)) {
      Files.setLastModifiedTime(source, FileTime.fromMillis(1000));

      assertThatThrownBy(() -> run.save(folder)).isInstanceOf(KvantException.class);
    }
    assertThat(folder.resolve("quantized_model.gguf")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "output.weight, 256, q4_k, output",
    "output.weight, 256, q5_0, output",
    "output.weight, 256, q8_0,",
    "output.weight, 256, q6_k,",
    "output.weight, 256,,",
    "output.weight, 40, q4_k,",
    "token_embd.weight, 256, q4_0, token_embd",
    "blk.0.attn_q.weight, 256, q4_0,",
  })
  @DisplayName("is recommended with six bits for what gives the next token")
  void recommends(String tensor, long columns, String dtype, String larger) {
    Path source =
        Samples.named("recommended").tensor(tensor, ElementType.FLOAT16, 4, columns).write();
    RecipeRequest request =
        RecipeRequest.builder().dtype(dtype == null ? null : Dtype.of(dtype)).build();

    try (QuantizableModel model = new GgufFormat().open(source)) {
      ModelQuantizationConfig config = BACKEND.recommend(model, request).orElseThrow().config();

      assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.of(dtype == null ? "q8_0" : dtype));
      assertThat(config.layers())
          .isEqualTo(
              larger == null
                  ? List.of()
                  : List.of(LayerQuantizationConfig.weights(larger, Dtype.of("q6_k"))));
    }
  }

  @Test
  @DisplayName("refuses a plan for another model")
  void otherPlan() {
    Path source = Samples.decoder("other plan", ElementType.FLOAT16).write();
    QuantizationPlan plan;
    try (QuantizableModel model = new GgufFormat().open(source)) {
      plan = plan(model, module -> "q8_0");
    }
    Path other = Samples.named("another").tensor("a.weight", ElementType.FLOAT16, 4, 32).write();
    RunContext context = RunContext.builder(CONFIG, BACKEND.descriptor()).build();

    try (QuantizableModel model = new GgufFormat().open(other)) {
      assertThatThrownBy(() -> BACKEND.begin(model, plan, context))
          .isInstanceOf(QuantizationException.class)
          .hasMessageContaining("the plan quantizes module 'token_embd'");
    }
  }

  @Test
  @DisplayName("refuses a model that only stands for a GGUF file, since it has no metadata to copy")
  void noMetadata() throws IOException {
    Path file = Files.writeString(folder.resolve("model.txt"), "not a model of llama.cpp");
    RunContext context = RunContext.builder(CONFIG, BACKEND.descriptor()).build();
    try (QuantizableModel gguf =
            new GgufFormat().open(Samples.decoder("stand-in", ElementType.FLOAT16).write());
        var model = new NamedTensorsModel(file, "text", gguf.tensors(), () -> {})) {
      QuantizationPlan plan = plan(model, module -> "q8_0");

      assertThatThrownBy(() -> BACKEND.begin(model, plan, context))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("the metadata of %s cannot be copied".formatted(file));
    }
  }
}
