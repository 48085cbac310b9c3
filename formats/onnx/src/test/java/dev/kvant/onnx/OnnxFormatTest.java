package dev.kvant.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The ONNX format")
class OnnxFormatTest {

  private final OnnxFormat format = new OnnxFormat();

  @TempDir private Path folder;

  @Test
  void recognizes_a_model_under_any_name() throws IOException {
    Path copy = Files.copy(Models.RESNET, folder.resolve("model.pt"));

    assertThat(format.recognizes(copy)).isTrue();
  }

  @Test
  void does_not_take_other_files_for_models() throws IOException {
    Path text = Files.writeString(folder.resolve("a.onnx"), "\b is a backspace");
    Path digits = Models.DIGITS;

    assertThat(format.recognizes(text)).isFalse();
    assertThat(format.recognizes(digits.resolve("models/resnet_traced.pt"))).isFalse();
    assertThat(format.recognizes(digits.resolve("models/resnet.pth"))).isFalse();
    assertThat(format.recognizes(digits.resolve("models/resnet.safetensors"))).isFalse();
    assertThat(format.recognizes(digits.resolve("data/test.npz"))).isFalse();
  }

  @Test
  void explains_a_truncated_model() throws IOException {
    byte[] whole = Files.readAllBytes(Models.RESNET);
    Path half = Files.write(folder.resolve("half.onnx"), Arrays.copyOf(whole, whole.length / 2));

    assertThat(format.recognizes(half)).isTrue();
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> format.open(half))
        .withMessageContaining("half.onnx")
        .withMessageContaining("truncated");
  }

  @Test
  void explains_a_file_that_is_no_model() throws IOException {
    Path text = Files.write(folder.resolve("a"), "hello".getBytes(StandardCharsets.UTF_8));

    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> format.open(text))
        .withMessageContaining("not an ONNX model");
  }

  @Test
  void finds_the_modules_of_a_convolutional_network_by_their_paths_in_torch() {
    try (QuantizableModel model = format.open(Models.RESNET)) {
      assertThat(model.modules())
          .extracting(module -> module.names().get(1))
          .containsExactly(
              "stem",
              "layers.0.conv1",
              "layers.0.conv2",
              "layers.1.conv1",
              "layers.1.conv2",
              "head.1",
              "head.3");
    }
  }

  @Test
  void calls_a_module_first_by_the_name_of_its_node() {
    try (QuantizableModel model = format.open(Models.RESNET)) {
      assertThat(model.modules().get(1).name()).isEqualTo("/layers/layers.0/conv1/Conv");
    }
  }

  @Test
  void gives_operator_and_torch_class_as_types() {
    try (QuantizableModel model = format.open(Models.RESNET)) {
      assertThat(model.modules().get(0).types()).containsExactly("Conv", "Conv2d");
      assertThat(model.modules().get(5).types()).containsExactly("Gemm", "Linear");
    }
  }

  @Test
  void finds_a_module_by_the_name_of_its_weight_where_the_node_has_another() {
    try (QuantizableModel model = format.open(Models.TRANSFORMER)) {
      assertThat(model.modules())
          .filteredOn(module -> module.name().equals("/encoder/layers.0/self_attn/Gemm"))
          .singleElement()
          .extracting(ModuleDescription::names)
          .asInstanceOf(InstanceOfAssertFactories.list(String.class))
          .contains("encoder.layers.0.self_attn.out_proj");
    }
  }

  @Test
  void leaves_products_of_two_activations_out() {
    try (QuantizableModel model = format.open(Models.TRANSFORMER)) {
      assertThat(model.modules())
          .extracting(ModuleDescription::name)
          .contains("/encoder/layers.0/self_attn/MatMul")
          .doesNotContain("/encoder/layers.0/self_attn/MatMul_1");
    }
  }

  @Test
  void can_be_closed_twice() {
    QuantizableModel model = format.open(Models.RESNET);

    model.close();
    model.close();

    assertThat(model.tensorBytes()).isPositive();
  }

  @ParameterizedTest
  @CsvSource({
    "dangling, 'product' uses 'nowhere'",
    "cyclic, the graph is cyclic",
    "outside, leaves the model's folder",
    "missing, 'weights.bin, which is not there'",
    "before_the_file, 'external offset -8, which is no place in a file'",
    "negative_shape, 'tensor ''w'' has the shape [-8, 8], which no tensor can have'",
    "huge_shape, 'tensor ''w'' has the shape [4611686018427387904, 8], which no tensor can have'"
  })
  void refuses_what_is_not_sound(String name, String message) {
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> format.open(Models.model(name)))
        .withMessageContaining(message);
  }

  @Test
  void refuses_a_pipe_in_place_of_external_data() throws Exception {
    Path model = Files.copy(Models.model("missing"), folder.resolve("model.onnx"));
    Path pipe = NamedPipe.create(folder.resolve("weights.bin"));

    assertThat(NamedPipe.assertRefused(pipe, () -> format.open(model).close()))
        .contains("model.onnx: the external file weights.bin of tensor 'w'")
        .endsWith("it is a pipe, a device or a socket; copy its content into a file");
  }
}
