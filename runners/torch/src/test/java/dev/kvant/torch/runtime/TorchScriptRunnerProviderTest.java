package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Device;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchScriptRunnerProviderTest {

  @Test
  void it_is_found_as_a_service_for_torchscript() {
    assertThat(ServiceLoader.load(ModelRunnerProvider.class))
        .hasExactlyElementsOfTypes(TorchScriptRunnerProvider.class)
        .allSatisfy(provider -> assertThat(provider.formats()).containsExactly("torchscript"));
  }

  @Test
  void it_is_available_where_libtorch_is_on_the_class_path() {
    assertThat(new TorchScriptRunnerProvider().availability()).isEqualTo(Availability.available());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "cuda:7"})
  void a_cuda_device_that_is_not_there_is_unavailable(String device) {
    Path model = Models.resource("echo.pt");

    assertThatThrownBy(() -> new TorchScriptRunnerProvider().open(model, Device.of(device)))
        .isInstanceOf(UnavailableException.class)
        .hasMessageMatching(
            "device %s: libtorch 2\\.7\\.1 sees 0 CUDA devices; use device cpu, .*"
                .formatted(device));
  }

  @Test
  void an_unknown_device_is_unavailable() {
    Path model = Models.resource("echo.pt");

    assertThatThrownBy(() -> new TorchScriptRunnerProvider().open(model, Device.of("tpu")))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("device tpu is not supported by libtorch; use cpu, cuda or cuda:N");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"truncated.pt", "text.pt", "empty.pt", "zip_of_other_things.pt", "tied.pth"})
  void a_file_that_is_no_torchscript_is_refused_by_name(String name) {
    Path file = Models.torchFormat(name);

    assertThatThrownBy(() -> Models.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(name);
  }

  @Test
  void a_model_with_an_operator_that_libtorch_lacks_is_refused_with_what_to_do() {
    Path model = Models.resource("unknown_operator.pt");

    assertThatThrownBy(() -> Models.open(model))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageEndingWith(
            "unknown_operator.pt cannot be loaded by libtorch 2.7.1, which lacks its operator"
                + " 'aten::no_such_operator': the model was saved by another version of PyTorch, or"
                + " needs an extension; save it again with PyTorch 2.7.1, or without this operator");
  }

  @Test
  void a_missing_file_is_refused_by_name(@TempDir Path folder) {
    assertThatThrownBy(() -> Models.open(folder.resolve("nowhere.pt")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("nowhere.pt");
  }

  @Test
  void a_name_outside_ascii_is_found(@TempDir Path folder) throws IOException {
    Path model = Files.copy(Models.resource("echo.pt"), folder.resolve("Modell größer 模型.pt"));

    assertThat(Models.answer(model, Models.scans()).shape()).containsExactly(16L, 1L, 8L, 8L);
  }

  @Test
  void a_second_close_does_nothing_and_a_closed_runner_says_so() {
    ModelRunner runner = Models.open(Models.resource("echo.pt"));
    runner.close();
    runner.close();

    assertThatThrownBy(() -> runner.run(TensorBatch.of(Models.scans())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the model was closed");
  }

  @Test
  void closing_one_runner_leaves_another_of_the_same_file_alone() {
    try (ModelRunner kept = Models.open(Models.resource("echo.pt"))) {
      Models.open(Models.resource("echo.pt")).close();

      assertThat(kept.run(TensorBatch.of(Models.scans()))).containsOnlyKeys("output");
    }
  }
}
