package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("An architecture is told from a model:")
class ArchitectureTest {

  private final List<ModuleDescription> modules = new ArrayList<>();
  private final List<InputDescription> inputs = new ArrayList<>();

  private ArchitectureTest with(String type, long... shape) {
    List<Long> sizes = new ArrayList<>();
    for (long size : shape) {
      sizes.add(size);
    }
    String name = "m" + modules.size();
    modules.add(
        new ModuleDescription(
            List.of(name),
            type.isEmpty() ? List.of() : List.of(type),
            false,
            List.of(new TensorDescription("weight", ElementType.FLOAT32, sizes, name))));
    return this;
  }

  private Architecture architecture() {
    return Architecture.of(
        new QuantizableModel() {
          @Override
          public Path source() {
            return Path.of("model");
          }

          @Override
          public String format() {
            return "test";
          }

          @Override
          public List<ModuleDescription> modules() {
            return modules;
          }

          @Override
          public List<InputDescription> inputs() {
            return inputs;
          }

          @Override
          public Map<String, ModelTensor> tensors() {
            return Map.of();
          }

          @Override
          public long tensorBytes() {
            return 0;
          }

          @Override
          public void close() {}
        });
  }

  @Test
  void at_least_as_many_convolutions_as_products_are_a_convolutional_network() {
    assertThat(with("Conv2d", 8, 8, 3, 3).with("Linear", 4096, 4096).architecture())
        .isEqualTo(Architecture.CONVOLUTIONAL);
    assertThat(with("ConvTranspose1d", 8, 8, 3).with("Gemm", 10, 8).architecture())
        .isEqualTo(Architecture.CONVOLUTIONAL);
  }

  @Test
  void more_products_than_convolutions_are_an_encoder() {
    with("Conv", 512, 512, 16, 16).with("MatMul", 64, 64).with("MatMul", 64, 64);

    assertThat(architecture()).isEqualTo(Architecture.ENCODER);
  }

  @Test
  void the_linear_modules_of_gpt2_are_products_in_spite_of_their_name() {
    assertThat(with("Conv1D", 64, 64).with("Conv1d", 8, 8, 3).with("Conv1D", 8, 8).architecture())
        .isEqualTo(Architecture.ENCODER);
  }

  @Test
  void a_small_recurrent_module_behind_convolutions_does_not_decide() {
    assertThat(with("Conv", 64, 64, 3, 3).with("LSTM", 64, 64).architecture())
        .isEqualTo(Architecture.CONVOLUTIONAL);
  }

  @Test
  void a_large_table_of_embeddings_does_not_decide() {
    assertThat(with("Embedding", 30_000, 64).with("LSTM", 256, 64).architecture())
        .isEqualTo(Architecture.RECURRENT);
    assertThat(with("Gather", 30_000, 64).with("MatMul", 640, 640).architecture())
        .isEqualTo(Architecture.ENCODER);
  }

  @Test
  void a_product_with_a_value_for_each_row_of_the_table_is_a_decoder() {
    assertThat(with("Gather", 5000, 64).with("MatMul", 64, 5000).architecture())
        .isEqualTo(Architecture.DECODER);
  }

  @Test
  void a_product_as_wide_as_a_small_table_is_none() {
    assertThat(with("Embedding", 512, 64).with("Linear", 512, 512).architecture())
        .isEqualTo(Architecture.ENCODER);
  }

  @Test
  void inputs_for_past_keys_are_those_of_a_decoder() {
    inputs.add(InputDescription.of("past_key_values.0.key"));

    assertThat(with("MatMul", 64, 64).architecture()).isEqualTo(Architecture.DECODER);
  }

  @Test
  void past_inputs_make_no_decoder_of_a_recurrent_network() {
    inputs.add(InputDescription.of("past"));

    assertThat(with("GRU", 64, 64).architecture()).isEqualTo(Architecture.RECURRENT);
  }

  @Test
  void tables_alone_are_tables() {
    assertThat(with("Embedding", 50, 4).architecture()).isEqualTo(Architecture.TABLES);
  }

  @Test
  void modules_without_a_class_are_unknown() {
    assertThat(with("", 50, 4).with("LayerNorm", 4).architecture()).isEqualTo(Architecture.UNKNOWN);
    modules.clear();
    assertThat(architecture()).isEqualTo(Architecture.UNKNOWN);
  }
}
