package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.spi.Processor;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The recipe of backend torchao")
class RecipeTest {

  private static final CalibrationConfig DATA = CalibrationConfig.of(Path.of("samples.npz"));

  private static Optional<Recipe> recipe(String model, RecipeRequest.Builder request) {
    try (TorchModel opened = new TorchFormat().open(TestModels.digits(model))) {
      return new TorchaoBackend().recommend(opened, request.build());
    }
  }

  private static RecipeRequest.Builder nothing() {
    return RecipeRequest.builder();
  }

  private static Map<String, Object> options(String model) {
    return recipe(model, nothing()).orElseThrow().config().backendKwargs();
  }

  @Test
  void quantizes_weights_to_int8() {
    ModelQuantizationConfig config = recipe("transformer.pth", nothing()).orElseThrow().config();

    assertThat(config.mode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.defaultActivationDtype()).isEqualTo(Dtype.NATIVE);
    assertThat(config.backendKwargs()).isEmpty();
  }

  @Test
  void quantizes_inputs_at_run_time_where_libtorch_multiplies_integers() {
    assumeThat(Processor.ofThisProcess().isX86()).isTrue();
    ModelQuantizationConfig config =
        recipe("transformer_traced.pt", nothing()).orElseThrow().config();

    assertThat(config.mode()).isEqualTo(QuantizationMode.DYNAMIC_PTQ);
    assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.defaultActivationDtype()).isEqualTo(Dtype.INT8);
    assertThat(
            recipe("transformer_traced.pt", nothing().dtype(Dtype.FP8_E4M3FN))
                .orElseThrow()
                .config()
                .mode())
        .isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
  }

  @Test
  void has_the_requested_mode_unless_the_dtype_is_none_of_it() {
    RecipeRequest.Builder dynamic = nothing().mode(QuantizationMode.DYNAMIC_PTQ);

    assertThat(recipe("transformer.pth", dynamic).orElseThrow().config().mode())
        .isEqualTo(QuantizationMode.DYNAMIC_PTQ);
    assertThat(recipe("transformer.pth", dynamic.dtype(Dtype.FP8_E5M2))).isEmpty();
  }

  @Test
  void includes_convolutions_where_an_archive_is_written_that_runs_them() {
    assertThat(options("resnet_traced.pt")).containsExactly(Map.entry("runtime_modules", true));
    assertThat(options("resnet_scripted.pt")).containsExactly(Map.entry("runtime_modules", true));
    assertThat(options("resnet.pth")).isEmpty();
    assertThat(options("resnet.safetensors")).isEmpty();
  }

  @Test
  void has_the_requested_dtype() {
    assertThat(
            recipe("transformer.pth", nothing().dtype(Dtype.FP8_E5M2))
                .orElseThrow()
                .config()
                .defaultLayerDtype())
        .isEqualTo(Dtype.FP8_E5M2);
  }

  @Test
  void leaves_data_to_others_unless_its_mode_is_requested() {
    RecipeRequest.Builder withData = nothing().calibration(DATA);

    assertThat(recipe("transformer_traced.pt", withData)).isEmpty();
    assertThat(recipe("transformer_traced.pt", withData.mode(QuantizationMode.WEIGHT_ONLY_PTQ)))
        .isPresent();
  }
}
