package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TypeInferenceTest {

  /** Modules from lines such as {@code encoder.norm: weight 16, bias 16}. */
  private static Map<String, List<TensorDescription>> modules(String... lines) {
    Map<String, List<TensorDescription>> modules = new LinkedHashMap<>();
    for (String line : lines) {
      List<TensorDescription> tensors = new ArrayList<>();
      for (String tensor : line.split(":", 2)[1].strip().split(", ", -1)) {
        String[] nameAndShape = tensor.split(" ", 2);
        List<Long> shape =
            nameAndShape.length == 1
                ? List.of()
                : Stream.of(nameAndShape[1].split("x")).map(Long::valueOf).toList();
        tensors.add(
            new TensorDescription(nameAndShape[0], ElementType.FLOAT32, shape, nameAndShape[0]));
      }
      modules.put(line.split(":", 2)[0], tensors);
    }
    return modules;
  }

  private static String type(Map<String, List<TensorDescription>> modules, String module) {
    return type(modules, module, ModelConfig.NONE);
  }

  private static String type(
      Map<String, List<TensorDescription>> modules, String module, ModelConfig config) {
    return new TypeInference(modules, config)
        .type(module, modules.getOrDefault(module, List.of()))
        .orElse("");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      emptyValue = "",
      textBlock =
          """
          layers.0.fc1: weight 8x4, bias 8                   | Linear
          lm_head: weight 50x16                              | Linear
          embed_out: weight 50x16                            | Linear
          embed_proj: weight 50x16                           | Linear
          model.embed_tokens: weight 50x16                   | Embedding
          embeddings.word_embeddings: weight 50x16           | Embedding
          transformer.wte: weight 50x16                      | Embedding
          transformer.wpe: weight 50x16                      | Embedding
          position: weight 50x16                             | Embedding
          shared: weight 50x16                               | Embedding
          embed: weight 8x4, bias 8                          | Linear
          norm: weight 16, bias 16                           | LayerNorm
          norm: weight 4x16, bias 4x16                       | LayerNorm
          group_norm: weight 16, bias 16                     | GroupNorm
          input_layernorm: weight 16                         | RMSNorm
          ln_1: weight 16                                    | RMSNorm
          act: weight 16                                     | ''
          bn: weight 8, bias 8, running_mean 8, running_var 8 | BatchNorm1d
          bn: running_mean 8, running_var 8                  | BatchNorm1d
          conv: weight 8x4x3, bias 8                         | Conv1d
          conv: weight 8x4x3x3                               | Conv2d
          conv: weight 8x4x3x3x3, bias 8                     | Conv3d
          up: weight 8x4x2x2, bias 4                         | ConvTranspose2d
          up: weight 8x4x2x2, bias 16                        | ConvTranspose2d
          deconv1: weight 8x4x2x2                            | ConvTranspose2d
          conv_transpose: weight 8x8x2x2, bias 8             | ConvTranspose2d
          fc: weight 8x8, bias 8                             | Linear
          h.0.attn.c_attn: weight 8x24, bias 24              | Conv1D
          odd: weight 8x24, bias 24                          | ''
          h.0.attn.c_proj: weight 8x8, bias 8                | ''
          odd: weight 8x4x2x2, bias 5                        | ''
          odd: weight 8x4, bias 5                            | ''
          odd: weight 8x4, bias 8x1                          | ''
          odd: weight                                        | ''
          odd: weight 2x2x2x2x2x2                            | ''
          odd: scale 8                                       | ''
          rnn: weight_ih_l0 64x8, weight_hh_l0 64x16         | LSTM
          rnn: weight_ih_l0 48x8, weight_hh_l0 48x16         | GRU
          rnn: weight_ih_l0 16x8, weight_hh_l0 16x16         | RNN
          rnn: weight_ih_l0 32x8, weight_hh_l0 32x16         | ''
          rnn: weight_ih_l0 64x8, weight_hh_l0 64x5, weight_hr_l0 5x16 | LSTM
          rnn: weight_ih_l0 64x8                             | ''
          cell: weight_ih 48x8, weight_hh 48x16              | GRUCell
          attn: in_proj_weight 48x16, in_proj_bias 48        | MultiheadAttention
          attn: q_proj_weight 16x16, k_proj_weight 16x8, v_proj_weight 16x8 | MultiheadAttention
          """)
  void a_class_shows_in_names_and_shapes(String module, String type) {
    String name = module.split(":", 2)[0];

    assertThat(type(modules(module), name)).isEqualTo(type);
  }

  @Test
  void a_batch_norm_has_the_dimensions_of_its_sibling_with_as_many_channels() {
    Map<String, List<TensorDescription>> modules =
        modules(
            "cnn.conv: weight 8x4x3x3",
            "cnn.bn: weight 8, bias 8, running_mean 8, running_var 8",
            "head.fc: weight 8x4, bias 8",
            "head.bn: weight 8, bias 8, running_mean 8, running_var 8",
            "other.bn: weight 5, bias 5, running_mean 5, running_var 5");

    assertThat(type(modules, "cnn.bn")).isEqualTo("BatchNorm2d");
    assertThat(type(modules, "head.bn")).isEqualTo("BatchNorm1d");
    assertThat(type(modules, "other.bn")).isEqualTo("BatchNorm2d");
  }

  @Test
  void a_weight_of_integers_tells_nothing() {
    var weight = new TensorDescription("weight", ElementType.INT8, List.of(8L, 4L), "0");

    assertThat(new TypeInference(Map.of(), ModelConfig.NONE).type("fc", List.of(weight))).isEmpty();
  }

  @Test
  void a_square_matrix_beside_matrices_of_conv1d_is_of_a_conv1d() {
    var gpt2 =
        modules(
            "h.0.ln_1: weight 8, bias 8",
            "h.0.attn.c_attn: weight 8x24, bias 24",
            "h.0.attn.c_proj: weight 8x8, bias 8",
            "h.0.mlp.c_fc: weight 8x32, bias 32",
            "h.0.mlp.c_proj: weight 32x8, bias 8",
            "pooler.dense: weight 8x8, bias 8",
            "score: weight 2x8, bias 2");

    assertThat(type(gpt2, "h.0.attn.c_proj")).isEqualTo("Conv1D");
    assertThat(type(gpt2, "h.0.mlp.c_proj")).isEqualTo("Conv1D");
    assertThat(type(gpt2, "pooler.dense")).as("others do not agree").isEmpty();
    assertThat(type(gpt2, "score")).isEqualTo("Linear");
  }

  @Test
  void a_square_matrix_of_the_same_name_beside_matrices_of_linear_is_of_a_linear() {
    var nanoGpt =
        modules(
            "h.0.attn.c_attn: weight 24x8, bias 24",
            "h.0.attn.c_proj: weight 8x8, bias 8",
            "h.0.mlp.c_fc: weight 32x8, bias 32",
            "h.0.mlp.c_proj: weight 8x32, bias 8");

    assertThat(type(nanoGpt, "h.0.attn.c_proj")).isEqualTo("Linear");
  }

  @Test
  void the_block_that_a_square_matrix_is_in_goes_before_the_rest_of_the_model() {
    var captioning =
        modules(
            "decoder.h.0.attn.c_attn: weight 8x24, bias 24",
            "decoder.h.0.attn.c_proj: weight 8x8, bias 8",
            "encoder.layer.0.attention.query: weight 8x8, bias 8",
            "encoder.layer.1.attention.query: weight 8x8, bias 8",
            "encoder.layer.1.mlp.dense: weight 32x8, bias 32");

    assertThat(type(captioning, "encoder.layer.0.attention.query")).isEqualTo("Linear");
    assertThat(type(captioning, "decoder.h.0.attn.c_proj")).isEqualTo("Conv1D");
  }

  @ParameterizedTest
  @CsvSource({"gpt2, Conv1D", "imagegpt, Conv1D", "gpt_bigcode, Linear", "llama, Linear"})
  void a_config_beside_the_file_tells_the_class_where_nothing_else_does(String model, String type) {
    var modules = modules("h.0.attn.c_proj: weight 8x8, bias 8");
    var config = new ModelConfig(Optional.of(model), Optional.empty());

    assertThat(type(modules, "h.0.attn.c_proj", config)).isEqualTo(type);
  }

  @Test
  void modules_come_from_the_names_and_their_types_are_inferred() {
    try (TorchModel model = TestModels.open("mixed.pth")) {
      assertThat(model.modules()).allMatch(ModuleDescription::typesInferred);
      assertThat(model.modules())
          .extracting(module -> module.name() + " " + module.type())
          .containsExactly(
              "embedding Embedding",
              "conv Conv2d",
              "norms BatchNorm2d",
              "back ConvTranspose2d",
              "lstm LSTM",
              "attention MultiheadAttention",
              "attention.out_proj NonDynamicallyQuantizableLinear",
              "first Linear",
              "second Linear",
              "low ",
              "low.linear Linear",
              "brain ",
              "brain.linear Linear",
              "norm LayerNorm",
              "stack ",
              "stack.0 Linear",
              "stack.3 Linear");
    }
  }

  @Test
  void the_output_projection_of_attention_is_told_from_other_linears() {
    var modules =
        modules(
            "attn: in_proj_weight 48x16, in_proj_bias 48",
            "attn.out_proj: weight 16x16, bias 16",
            "other: bias 1",
            "other.out_proj: weight 16x16, bias 16");

    assertThat(type(modules, "attn.out_proj")).isEqualTo("NonDynamicallyQuantizableLinear");
    assertThat(type(modules, "other.out_proj")).isEqualTo("Linear");
  }
}
