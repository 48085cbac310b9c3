package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {

  @TempDir private Path folder;

  private ModelConfig config(String text) throws IOException {
    Files.writeString(folder.resolve("config.json"), text);
    return ModelConfig.of(folder.resolve("model.safetensors"));
  }

  @Test
  void says_what_kind_of_network_it_is_and_how_it_was_quantized() throws IOException {
    ModelConfig config =
        config(
            """
            {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 768,
             "quantization_config": {"bits": 4, "quant_method": "gptq", "group_size": 128}}
            """);

    assertThat(config).isEqualTo(new ModelConfig(Optional.of("gpt2"), Optional.of("gptq")));
    assertThat(ModelConfig.of(folder)).as("of a folder").isEqualTo(config);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{} x",
        "not json",
        "{\"model_type\": 7}",
        "{\"quantization_config\": \"gptq\"}",
        "{\"quantization_config\": {\"quant_method\": null}}"
      })
  void says_nothing_where_it_is_another_file(String text) throws IOException {
    assertThat(config(text)).isEqualTo(ModelConfig.NONE);
  }

  @Test
  void says_nothing_where_there_is_none() {
    assertThat(ModelConfig.of(folder.resolve("model.safetensors"))).isEqualTo(ModelConfig.NONE);
  }
}
