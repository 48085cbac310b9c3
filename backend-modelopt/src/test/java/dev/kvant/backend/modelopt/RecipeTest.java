package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The recipe of backend modelopt")
class RecipeTest {

  private static final CalibrationConfig DATA = CalibrationConfig.of(Path.of("samples.npz"));

  private static Optional<Recipe> recipe(String model, RecipeRequest.Builder request) {
    try (TorchModel opened = new TorchFormat().open(TestModels.digits(model))) {
      return new ModelOptBackend().recommend(opened, request.build());
    }
  }

  private static RecipeRequest.Builder nothing() {
    return RecipeRequest.builder();
  }

  @Test
  void with_data_is_static_with_a_range_for_each_channel() {
    ModelQuantizationConfig config =
        recipe("transformer_traced.pt", nothing().calibration(DATA)).orElseThrow().config();

    assertThat(config.mode()).isEqualTo(QuantizationMode.STATIC_PTQ);
    assertThat(config.algorithm()).isEqualTo(CalibrationAlgorithm.MSE);
    assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.defaultActivationDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.backendKwargs()).containsExactly(Map.entry("weights", "per_channel"));
    assertThat(new ModelOptBackend().validate(config)).isEmpty();
  }

  @Test
  void meets_dtype_and_target() {
    ModelQuantizationConfig config =
        recipe(
                "resnet_traced.pt",
                nothing().calibration(DATA).dtype(Dtype.FP8_E4M3FN).target("portable"))
            .orElseThrow()
            .config();

    assertThat(config.defaultActivationDtype()).isEqualTo(Dtype.FP8_E4M3FN);
    assertThat(config.backendKwargs()).containsEntry("target", "portable");
  }

  @Test
  void without_data_leaves_the_model_to_others_unless_its_mode_is_requested() {
    assertThat(recipe("resnet_traced.pt", nothing())).isEmpty();
    assertThat(recipe("resnet_traced.pt", nothing().mode(QuantizationMode.STATIC_PTQ))).isPresent();
  }
}
