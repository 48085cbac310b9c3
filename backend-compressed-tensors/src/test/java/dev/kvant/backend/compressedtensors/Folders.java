package dev.kvant.backend.compressedtensors;

import dev.kvant.api.ElementType;
import dev.kvant.tck.SampleFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Makes the folders of small checkpoints. */
final class Folders {

  static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "rms_norm_eps": 1e-05, "limit": Infinity}
      """;

  private static final String LAYER = "model.layers.0.";

  private Folders() {}

  /** A decoder of one layer in bfloat16 in one file, with its configuration and a tokenizer. */
  static Path decoder(Path folder) throws IOException {
    Files.createDirectories(folder);
    put(
        decoder(SampleFile.named("a decoder"), "q_proj", "k_proj", "v_proj")
            .tensor("model.embed_tokens.weight", ElementType.BFLOAT16, 32, 128),
        folder.resolve("model.safetensors"));
    Files.writeString(folder.resolve("config.json"), CONFIG);
    Files.writeString(folder.resolve("tokenizer.json"), "{}");
    return folder;
  }

  /** The same in two files with an index. */
  static Path sharded(Path folder) throws IOException {
    decoder(folder);
    put(
        decoder(SampleFile.named("the first shard"), "q_proj", "k_proj", "v_proj"),
        folder.resolve("model-00001-of-00002.safetensors"));
    Files.delete(folder.resolve("model.safetensors"));
    put(
        SampleFile.named("the second shard")
            .tensor("model.layers.1.mlp.up_proj.weight", ElementType.BFLOAT16, 24, 128)
            .tensor("model.embed_tokens.weight", ElementType.BFLOAT16, 32, 128),
        folder.resolve("model-00002-of-00002.safetensors"));
    var index = new StringBuilder("{\"metadata\": {}, \"weight_map\": {");
    for (String name : new String[] {"q_proj", "k_proj", "v_proj"}) {
      index.append(
          "\"%sself_attn.%s.weight\": \"model-00001-of-00002.safetensors\","
              .formatted(LAYER, name));
    }
    index.append("\"model.embed_tokens.weight\": \"model-00002-of-00002.safetensors\",");
    index.append("\"model.layers.1.mlp.up_proj.weight\": \"model-00002-of-00002.safetensors\"}}");
    Files.writeString(folder.resolve("model.safetensors.index.json"), index);
    return folder;
  }

  private static SampleFile decoder(SampleFile file, String... projections) {
    for (String name : projections) {
      file.tensor(LAYER + "self_attn." + name + ".weight", ElementType.BFLOAT16, 16, 128);
    }
    return file;
  }

  static void put(SampleFile sample, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    Files.copy(sample.write(), file, StandardCopyOption.REPLACE_EXISTING);
  }
}
