package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be is said before anything is written, and what was written before stays. */
class ConfigurationTest {

  private static final Path RESNET = TestModels.digits("resnet_traced.pt");

  @TempDir private Path folder;

  @Test
  void entropy_with_float8_lists_the_algorithms_that_float8_has() {
    assertInvalid(
        Quantization.of(RESNET).rule("Linear", "fp8_e4m3fn").set("algorithm", "entropy"),
        "algorithm",
        "one of minmax, percentile, mse");
    assertInvalid(
        Quantization.of(RESNET)
            .rule(
                "Linear",
                Map.of("dtype", "int8"),
                Map.of("dtype", "fp8_e5m2", "observer_or_fake_quant", "entropy")),
        "layers[0].activations.observer_or_fake_quant",
        "one of minmax, percentile, mse");
  }

  @Test
  void weight_only_lists_the_mode_that_there_is() {
    assertInvalid(
        Quantization.of(RESNET).rule("Linear", "int8").set("mode", "weight_only_ptq"),
        "mode",
        "use static_ptq");
  }

  @Test
  void a_version_of_modelopt_that_is_not_known_lists_those_that_are() {
    assertInvalid(
        Quantization.of(RESNET).rule("Linear", "int8").option("modelopt_version", 0.4),
        "backend_kwargs.modelopt_version",
        "must be one of 0.47, 0.33");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "/", "a\0b"})
  void a_calibration_cache_must_be_the_name_of_a_file(String name) {
    assertInvalid(
        Quantization.of(RESNET).rule("Linear", "int8").option("calibration_cache", name),
        "backend_kwargs.calibration_cache",
        "names no file");
  }

  @Test
  void a_checkpoint_is_said_to_have_no_forward_and_what_to_save_instead() {
    assertThat(new ModelOptBackend().remedy("pytorch").orElseThrow())
        .contains("no forward", "torch.jit.save");
    assertThat(new ModelOptBackend().remedy("safetensors")).isPresent();
    assertThat(new ModelOptBackend().remedy("onnx")).isEmpty();
  }

  @Test
  void activations_have_no_axis() {
    assertInvalid(
        Quantization.of(RESNET)
            .rule("Linear", Map.of("dtype", "int8"), Map.of("dtype", "int8", "quant_axis", 0)),
        "layers[0].activations.quant_axis",
        "use granularity: tensor");
  }

  @Test
  void an_axis_that_the_weight_has_not_is_named_with_those_that_it_has() {
    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(
            () ->
                Quantization.of(RESNET)
                    .rule(
                        "Linear", Map.of("dtype", "int8", "quant_axis", 2), Map.of("dtype", "int8"))
                    .into(folder))
        .withMessageContaining("quant_axis 2")
        .withMessageContaining("layers[0].weights.quant_axis", "use 0 to 1");
  }

  @Test
  void a_percentage_out_of_range_is_refused() {
    assertInvalid(
        Quantization.of(RESNET)
            .rule(
                "Linear",
                Map.of("dtype", "int8"),
                Map.of(
                    "dtype",
                    "int8",
                    "observer_or_fake_quant",
                    "percentile",
                    "observer_or_fake_quant_kwargs",
                    Map.of("percentile", 101))),
        "observer_or_fake_quant_kwargs.percentile",
        "at most 100");
  }

  private void assertInvalid(Quantization quantization, String path, String message) {
    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> quantization.into(folder))
        .withMessageContaining(path)
        .withMessageContaining(message);
  }

  @Test
  void a_checkpoint_has_no_forward_and_the_error_says_what_has() {
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(
            () ->
                Quantization.of(TestModels.digits("resnet.pth"))
                    .rule("Linear", "int8")
                    .into(folder))
        .withMessageContaining("pytorch")
        .withMessageContaining("no forward")
        .withMessageContaining("torch.jit.save");
  }

  @Test
  void a_device_that_is_not_there_is_an_error() {
    assertThatExceptionOfType(UnavailableException.class)
        .isThrownBy(
            () ->
                Quantization.of(RESNET)
                    .rule("Linear", "int8")
                    .set("device", "cuda:7")
                    .data(Data.scans(64))
                    .into(folder))
        .withMessageContaining("cuda:7");
  }

  @Test
  void a_failure_leaves_what_was_written_before() throws IOException {
    SavedModel before =
        Quantization.of(RESNET).rule("Linear", "int8").data(Data.scans(64)).into(folder);
    byte[] checkpoint = Files.readAllBytes(before.artifacts().get(0).path());
    byte[] runnable = Files.readAllBytes(before.artifacts().get(1).path());
    Path damaged =
        Archives.withWeight(RESNET, "head.3", 7, Float.NaN, folder.resolve("damaged.pt"));

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(() -> Quantization.of(damaged).rule("Linear", "int8").into(folder))
        .withMessageContaining("head.3.weight")
        .withMessageContaining("NaN");
    assertThat(before.artifacts().get(0).path()).hasBinaryContent(checkpoint);
    assertThat(before.artifacts().get(1).path()).hasBinaryContent(runnable);
  }

  @Test
  void a_results_folder_that_cannot_be_made_is_an_error() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(
            () ->
                Quantization.of(RESNET)
                    .rule("Linear", "int8")
                    .data(Data.scans(64))
                    .into(file.resolve("results")))
        .withMessageContaining("cannot be made");
  }

  @Test
  void without_data_only_weights_are_quantized_and_one_warning_says_so() {
    SavedModel saved = Quantization.of(RESNET).rule("Linear", "int8").into(folder);

    assertThat(saved.report().warnings())
        .filteredOn(warning -> warning.message().contains("calibration data"))
        .singleElement()
        .satisfies(warning -> assertThat(warning.modules()).containsExactly("head.1", "head.3"));
    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().module().equals("head.1"))
        .singleElement()
        .satisfies(
            module -> {
              assertThat(module.weights().sqnrDecibels()).isPositive();
              assertThat(module.note()).contains("its activations stay native");
            });
  }

  @Test
  void modules_that_the_data_never_reaches_are_named() {
    SavedModel saved =
        Quantization.of(TestModels.model("mixed_traced.pt"))
            .rule("second", "int8")
            .data(Data.tokens())
            .into(folder);

    assertThat(saved.report().warnings())
        .filteredOn(warning -> warning.message().contains("never reached second"))
        .singleElement()
        .satisfies(warning -> assertThat(warning.modules()).containsExactly("second"));
  }

  @Test
  void modules_that_are_one_in_python_and_planned_differently_are_named() {
    SavedModel saved =
        Quantization.of(TestModels.model("mixed.pt"))
            .rule("first", "int8")
            .rule("second", "fp8_e4m3fn")
            .data(Data.tokens())
            .into(folder);

    assertThat(saved.report().warnings())
        .filteredOn(warning -> warning.message().contains("are one module in Python"))
        .singleElement()
        .satisfies(warning -> assertThat(warning.modules()).containsExactly("first", "second"));
  }
}
