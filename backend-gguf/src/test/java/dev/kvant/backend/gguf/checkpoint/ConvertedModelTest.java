package dev.kvant.backend.gguf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.kit.WeightValues;
import dev.kvant.tck.SampleFile;
import dev.kvant.torch.TorchFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A converted checkpoint")
class ConvertedModelTest {

  private static final String LLAMA =
      """
      {"model_type": "%s", "num_hidden_layers": 1, "max_position_embeddings": 64,
       "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2,
       "num_key_value_heads": 1, "rms_norm_eps": 1e-05, "vocab_size": 4, "rope_theta": 5000}
      """;

  private static final String BYTES =
      """
      {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
       "pre_tokenizer": {"type": "%s"},
       "added_tokens": [{"id": 3, "content": "<|end|>", "special": true}]}
      """;

  @TempDir Path folder;

  private void weights(String norm) throws IOException {
    String layer = "model.layers.0.self_attn.";
    put(
        SampleFile.named("a checkpoint")
            .tensor("model.embed_tokens.weight", ElementType.BFLOAT16, 4, 32)
            .tensor(layer + "q_proj.weight", ElementType.BFLOAT16, 8, 32)
            .tensor(layer + "k_proj.weight", ElementType.BFLOAT16, 4, 32)
            .tensor(layer + "rotary_emb.inv_freq", ElementType.FLOAT32, 8)
            .tensor(norm, ElementType.BFLOAT16, 32));
  }

  private void put(SampleFile sample) throws IOException {
    Files.copy(
        sample.write(), folder.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
  }

  private void file(String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }

  private void llama(String type) throws IOException {
    weights("model.norm.weight");
    file("config.json", LLAMA.formatted(type));
    file("tokenizer.json", BYTES.formatted("ByteLevel"));
    file("tokenizer_config.json", "{\"eos_token\": \"<|end|>\", \"chat_template\": \"hello\"}");
  }

  private <T> T converted(Function<ConvertedModel, T> result) {
    try (QuantizableModel model = new TorchFormat().open(folder)) {
      return result.apply(ConvertedModel.of(model, module -> false));
    }
  }

  private Map<String, GgufEntry> metadata() {
    return converted(ConvertedModel::metadata).stream()
        .collect(Collectors.toMap(GgufEntry::key, entry -> entry));
  }

  private static String text(Map<String, GgufEntry> metadata, String key) {
    return Objects.requireNonNull(metadata.get(key), key).text().orElseThrow();
  }

  private static long number(Map<String, GgufEntry> metadata, String key) {
    return Objects.requireNonNull(metadata.get(key), key).integer().orElseThrow();
  }

  private static String bytes(Map<String, GgufEntry> metadata, String key) {
    byte[] value = Objects.requireNonNull(metadata.get(key), key).value().readAll(1000, key);
    return new String(value, StandardCharsets.UTF_8);
  }

  private static float[] values(Map<String, ? extends ModelTensor> tensors, String name) {
    ModelTensor tensor = Objects.requireNonNull(tensors.get(name), name);
    return new WeightValues(name, tensor).read(0, (int) tensor.elements());
  }

  @Test
  @DisplayName("has the names of llama.cpp, and those of the checkpoint as second names")
  void names() throws IOException {
    llama("llama");

    List<List<String>> names =
        converted(model -> model.modules().stream().map(ModuleDescription::names).toList());

    assertThat(names)
        .contains(
            List.of("token_embd", "model.embed_tokens"),
            List.of("blk.0.attn_q", "model.layers.0.self_attn.q_proj"),
            List.of("output_norm", "model.norm"))
        .noneMatch(each -> each.toString().contains("inv_freq"));
  }

  @Test
  @DisplayName("has hyperparameters, the tokenizer and the chat template")
  void metadataOfLlama() throws IOException {
    llama("mistral");

    Map<String, GgufEntry> metadata = metadata();

    assertThat(text(metadata, "general.architecture")).isEqualTo("llama");
    assertThat(number(metadata, "llama.block_count")).isEqualTo(1);
    assertThat(number(metadata, "llama.attention.head_count_kv")).isEqualTo(1);
    assertThat(number(metadata, "llama.rope.dimension_count")).isEqualTo(16);
    assertThat(number(metadata, "general.file_type")).isEqualTo(32);
    assertThat(text(metadata, "tokenizer.ggml.model")).isEqualTo("gpt2");
    assertThat(text(metadata, "tokenizer.ggml.pre")).isEqualTo("gpt-2");
    assertThat(text(metadata, "tokenizer.chat_template")).isEqualTo("hello");
    assertThat(number(metadata, "tokenizer.ggml.eos_token_id")).isEqualTo(3);
    assertThat(bytes(metadata, "tokenizer.ggml.merges")).endsWith("a b");
    assertThat(bytes(metadata, "tokenizer.ggml.tokens")).endsWith("<|end|>");
  }

  @Test
  @DisplayName("of Llama has the rows of queries and keys in pairs, also when read in parts")
  void pairs() throws IOException {
    llama("llama");
    float[] before;
    try (QuantizableModel model = new TorchFormat().open(folder)) {
      before = values(model.tensors(), "model.layers.0.self_attn.q_proj.weight");
      Map<String, ModelTensor> tensors = ConvertedModel.of(model, module -> false).tensors();

      float[] after = values(tensors, "blk.0.attn_q.weight");

      // Of two heads of four rows, rows 0, 2, 1, 3.
      int[] rows = {0, 2, 1, 3, 4, 6, 5, 7};
      for (int i = 0; i < after.length; i++) {
        assertThat(after[i]).isEqualTo(before[rows[i / 32] * 32 + i % 32]);
      }
      ModelTensor query = Objects.requireNonNull(tensors.get("blk.0.attn_q.weight"));
      float[] part = new WeightValues("part", query).read(40, 50);
      assertThat(part).isEqualTo(java.util.Arrays.copyOfRange(after, 40, 90));
    }
  }

  @Test
  @DisplayName("of Gemma has norms with 1 added, and all vectors as float32")
  void norms() throws IOException {
    llama("gemma");
    try (QuantizableModel model = new TorchFormat().open(folder)) {
      float[] before = values(model.tensors(), "model.norm.weight");
      Map<String, ModelTensor> tensors = ConvertedModel.of(model, module -> false).tensors();

      float[] after = values(tensors, "output_norm.weight");

      assertThat(Objects.requireNonNull(tensors.get("output_norm.weight")).elementType())
          .isEqualTo(ElementType.FLOAT32);
      for (int i = 0; i < after.length; i++) {
        assertThat(after[i]).isEqualTo(before[i] + 1);
      }
    }
  }

  @Test
  @DisplayName("has the pieces of a tokenizer.model, and unused tokens up to the embeddings")
  void pieces() throws IOException {
    llama("llama");
    Files.delete(folder.resolve("tokenizer.json"));
    // A piece "ab" with the score 1 and the type 3; no blank before a text.
    Files.write(
        folder.resolve("tokenizer.model"),
        new byte[] {10, 11, 10, 2, 'a', 'b', 21, 0, 0, (byte) 0x80, 63, 24, 3, 26, 2, 24, 0});

    Map<String, GgufEntry> metadata = metadata();

    assertThat(text(metadata, "tokenizer.ggml.model")).isEqualTo("llama");
    assertThat(bytes(metadata, "tokenizer.ggml.tokens")).contains("ab").contains("[PAD3]");
    assertThat(bytes(metadata, "tokenizer.ggml.add_space_prefix")).isEqualTo("\0");
  }

  @Test
  @DisplayName("refuses an unknown network with a list of the known")
  void unknownNetwork() throws IOException {
    llama("gpt2");

    assertThatThrownBy(this::metadata)
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("'gpt2'")
        .hasMessageContaining("bert, gemma, gemma2, gemma3_text, llama, mistral, phi3, qwen2");
  }

  @Test
  @DisplayName("refuses tensors that the architecture does not have, by name")
  void unknownTensor() throws IOException {
    llama("llama");
    weights("model.layers.0.mlp.experts.0.w1.weight");

    assertThatThrownBy(this::metadata)
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("model.layers.0.mlp.experts.0.w1.weight");
  }

  @Test
  @DisplayName("refuses a tokenizer that cannot be converted, or is damaged")
  void tokenizers() throws IOException {
    llama("llama");
    file("tokenizer.json", BYTES.formatted("Metaspace"));
    assertThatThrownBy(this::metadata)
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("tokenizer.model");

    file("tokenizer.model", "\n\u007f");
    assertThatThrownBy(this::metadata)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("SentencePiece");

    Files.delete(folder.resolve("tokenizer.model"));
    file("tokenizer.json", "{");
    assertThatThrownBy(this::metadata)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("tokenizer.json");

    file("tokenizer.json", BYTES.formatted("ByteLevel").replace("[[\"a\", \"b\"]]", "[[\"a\"]]"));
    assertThatThrownBy(this::metadata)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("download it again");
  }

  @Test
  @DisplayName("refuses a file of weights without config.json")
  void noConfig() throws IOException {
    weights("model.norm.weight");

    assertThatThrownBy(this::metadata)
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("config.json");
  }
}
