package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.onnx.OnnxFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Weight-only quantization of an ONNX graph")
class WeightOnlyTest {

  @TempDir private Path folder;

  @Test
  void keeps_the_transformer_as_good_as_it_was() {
    SavedModel saved = int8().run(Digits.TRANSFORMER, folder);

    assertThat(Digits.correct(saved.artifacts().get(0).path()))
        .isBetween(Digits.correct(Digits.TRANSFORMER) - 2, 600);
  }

  @Test
  void keeps_the_convolutional_network_as_good_as_it_was() {
    SavedModel saved = int8().run(Digits.RESNET, folder);

    assertThat(Digits.correct(saved.artifacts().get(0).path()))
        .isBetween(Digits.correct(Digits.RESNET) - 2, 600);
  }

  @Test
  void stores_the_weights_in_a_quarter_of_the_space() throws IOException {
    SavedModel saved = int8().run(Digits.RESNET, folder);

    assertThat(saved.artifacts().get(0).bytes())
        .isEqualTo(Files.size(folder.resolve("quantized_model.onnx")))
        .isLessThan(Files.size(Digits.RESNET) * 3 / 10);
  }

  @Test
  void reports_how_much_of_each_weight_was_lost() {
    SavedModel saved = int8().run(Digits.RESNET, folder);

    assertThat(saved.report().modules())
        .allSatisfy(module -> assertThat(module.weights().sqnrDecibels()).isBetween(35.0, 60.0));
  }

  @Test
  void warns_that_restored_weights_are_slower_and_says_what_is_faster() {
    SavedModel convolutions = int8().run(Digits.RESNET, folder.resolve("a"));
    SavedModel products = int8().run(Digits.TRANSFORMER, folder.resolve("b"));

    assertThat(convolutions.report().warnings())
        .singleElement()
        .satisfies(
            warning -> {
              assertThat(warning.message())
                  .contains("smaller than in float32 but slower")
                  .endsWith("for convolutions, static_ptq is faster");
              assertThat(warning.modules()).contains("/stem/Conv");
            });
    assertThat(products.report().warnings())
        .singleElement()
        .satisfies(
            warning ->
                assertThat(warning.message())
                    .contains(
                        "for MatMul and Gemm, kernel: nbits, dynamic_ptq and static_ptq are"
                            + " faster"));
  }

  @Test
  void does_not_warn_of_blocks_that_are_multiplied_as_they_are() {
    SavedModel saved = int8().with("kernel", "nbits").run(Digits.TRANSFORMER, folder);

    assertThat(saved.report().warnings()).isEmpty();
  }

  @Test
  void leaves_modules_that_can_be_looked_at() {
    SavedModel saved = int8().run(Digits.RESNET, folder);

    try (QuantizableModel source = new OnnxFormat().open(Digits.RESNET);
        QuantizableModel quantized = new OnnxFormat().open(saved.artifacts().get(0).path())) {
      assertThat(quantized.modules())
          .extracting(ModuleDescription::name)
          .isEqualTo(source.modules().stream().map(ModuleDescription::name).toList());
      assertThat(quantized.modules())
          .allSatisfy(
              module ->
                  assertThat(module.weight().orElseThrow().elementType())
                      .isEqualTo(ElementType.INT8));
    }
  }

  @Test
  void leaves_the_source_as_it_was() throws IOException {
    byte[] before = Files.readAllBytes(Digits.TRANSFORMER);

    int8().run(Digits.TRANSFORMER, folder);

    assertThat(Files.readAllBytes(Digits.TRANSFORMER)).isEqualTo(before);
  }

  @Test
  void writes_large_tensors_beside_the_graph_on_request() {
    SavedModel saved = int8().with("external_data", true).run(Digits.RESNET, folder);

    assertThat(folder).isDirectoryContaining("glob:**/quantized_model.onnx.data");
    assertThat(Digits.correct(saved.artifacts().get(0).path()))
        .isBetween(Digits.correct(Digits.RESNET) - 2, 600);
  }

  /** A graph that keeps its tensors in a file of their own. */
  private static Path tensorsBeside(Path folder) {
    return Quantization.weightsOf(module -> Plans.Wish.NATIVE)
        .with("external_data", true)
        .run(Digits.RESNET, folder)
        .artifacts()
        .get(0)
        .path();
  }

  @Test
  void quantizes_a_graph_that_keeps_its_tensors_beside_it() {
    Path external = tensorsBeside(folder.resolve("external"));

    SavedModel fromExternal = int8().run(external, folder.resolve("a"));
    SavedModel fromOneFile = int8().run(Digits.RESNET, folder.resolve("b"));

    assertThat(fromExternal.artifacts().get(0).path())
        .hasSameBinaryContentAs(fromOneFile.artifacts().get(0).path());
  }

  @Test
  void explains_external_data_that_are_truncated() throws IOException {
    Path external = tensorsBeside(folder);
    Path data = folder.resolve("quantized_model.onnx.data");
    byte[] whole = Files.readAllBytes(data);
    Files.write(data, Arrays.copyOf(whole, whole.length / 2));

    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> new OnnxFormat().open(external))
        .withMessageContaining("external file quantized_model.onnx.data, which has only")
        .withMessageContaining("truncated or belongs to another model");
  }

  @Test
  void multiplies_blocks_in_int8_unless_told_otherwise() {
    assertThat(accuracyLevels(int8().with("kernel", "nbits"))).containsOnly(4L);
    assertThat(accuracyLevels(int8().with("kernel", "nbits").with("accuracy_level", 1)))
        .containsOnly(1L);
  }

  @Test
  void stores_zero_points_with_4_bits_and_none_with_8_unless_told_otherwise() {
    assertThat(zeroPoints(nbits(4))).isNotEmpty().doesNotContain("");
    assertThat(zeroPoints(nbits(4).with("symmetric", true))).isNotEmpty().containsOnly("");
    assertThat(zeroPoints(nbits(8))).isNotEmpty().containsOnly("");
    assertThat(zeroPoints(nbits(8).with("symmetric", false))).isNotEmpty().doesNotContain("");
  }

  private List<String> zeroPoints(Quantization quantization) {
    Path artifact = quantization.run(Digits.TRANSFORMER, folder).artifacts().get(0).path();
    return Graphs.nodes(artifact, "MatMulNBits").stream().map(node -> node.input(3)).toList();
  }

  @Test
  void is_more_accurate_in_4_bits_with_zero_points() {
    double without = meanSqnr(nbits(4).with("symmetric", true).run(Digits.TRANSFORMER, folder));
    double with = meanSqnr(nbits(4).run(Digits.TRANSFORMER, folder));

    assertThat(with).isGreaterThan(without + 0.3);
  }

  private static double meanSqnr(SavedModel saved) {
    return saved.report().modules().stream()
        .filter(module -> module.weights().isQuantized())
        .mapToDouble(module -> Objects.requireNonNull(module.weights().sqnrDecibels()))
        .average()
        .orElseThrow();
  }

  private static Quantization nbits(int bits) {
    return int8().with("kernel", "nbits").with("bits", bits);
  }

  private List<Long> accuracyLevels(Quantization quantization) {
    Path artifact = quantization.run(Digits.TRANSFORMER, folder).artifacts().get(0).path();
    return Graphs.nodes(artifact, "MatMulNBits").stream()
        .map(node -> node.intAttribute("accuracy_level", -1))
        .toList();
  }

  private static Quantization int8() {
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8));
  }
}
