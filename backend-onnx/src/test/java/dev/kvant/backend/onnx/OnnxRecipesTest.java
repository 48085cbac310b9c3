package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The recipe for an ONNX graph")
class OnnxRecipesTest {

  private final OnnxBackend backend = new OnnxBackend();

  private static final CalibrationConfig DATA = CalibrationConfig.of(Path.of("samples.npz"));

  /** A model with one operator that has a weight. */
  private record Single(String operator) implements QuantizableModel {

    @Override
    public Path source() {
      return Path.of("model.onnx");
    }

    @Override
    public String format() {
      return "onnx";
    }

    @Override
    public List<ModuleDescription> modules() {
      return List.of(
          new ModuleDescription(
              List.of("node"),
              List.of(operator),
              false,
              List.of(new TensorDescription("weight", ElementType.FLOAT32, List.of(8L, 8L), "w"))));
    }

    @Override
    public Map<String, ModelTensor> tensors() {
      return Map.of();
    }

    @Override
    public long tensorBytes() {
      return 256;
    }

    @Override
    public void close() {}
  }

  private Optional<Recipe> recipe(String operator, RecipeRequest request) {
    return backend.recommend(new Single(operator), request);
  }

  private ModelQuantizationConfig config(String operator, RecipeRequest.Builder request) {
    return recipe(operator, request.build()).orElseThrow().config();
  }

  private static RecipeRequest.Builder nothing() {
    return RecipeRequest.builder();
  }

  @ParameterizedTest
  @CsvSource({
    "MatMul, dynamic_ptq",
    "Gemm, dynamic_ptq",
    "Conv, weight_only_ptq",
    "LSTM, weight_only_ptq",
    "GRU, weight_only_ptq",
    "Gather, weight_only_ptq"
  })
  void without_data_depends_on_what_holds_the_weights(String operator, String mode) {
    ModelQuantizationConfig config = config(operator, nothing());

    assertThat(config.mode()).isEqualTo(QuantizationMode.of(mode));
    assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.defaultActivationDtype())
        .isEqualTo(mode.equals("dynamic_ptq") ? Dtype.INT8 : Dtype.NATIVE);
    assertThat(config.backendKwargs()).isEmpty();
    assertThat(backend.validate(config)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"MatMul, smooth, auto", "Conv, optimize, balanced"})
  void with_data_is_static_and_smooths_products_or_has_integer_regions(
      String operator, String option, String value) {
    ModelQuantizationConfig config = config(operator, nothing().calibration(DATA));

    assertThat(config.mode()).isEqualTo(QuantizationMode.STATIC_PTQ);
    assertThat(config.algorithm()).isEqualTo(CalibrationAlgorithm.MSE);
    assertThat(config.defaultActivationDtype()).isEqualTo(Dtype.INT8);
    assertThat(config.backendKwargs()).containsOnlyKeys(option);
    assertThat(config.backendKwargs().get(option)).asString().isEqualTo(value);
    assertThat(config.calibration()).isEqualTo(DATA);
    assertThat(backend.validate(config)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"MatMul", "Conv", "Gemm"})
  void alternatives_begin_with_the_recommended_one_and_have_all_modes(String operator) {
    RecipeRequest request = nothing().calibration(DATA).build();
    List<Recipe> all = backend.alternatives(new Single(operator), request);

    assertThat(all.get(0)).isEqualTo(recipe(operator, request).orElseThrow());
    assertThat(all)
        .extracting(each -> String.valueOf(each.config().mode()))
        .containsSubsequence("static_ptq", "dynamic_ptq", "weight_only_ptq");
    assertThat(all).hasSizeGreaterThanOrEqualTo(12);
    assertThat(all).extracting(Recipe::config).doesNotHaveDuplicates();
    assertThat(all).allSatisfy(each -> assertThat(backend.validate(each.config())).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"static_ptq", "dynamic_ptq"})
  void alternatives_with_data_smooth_by_the_data_and_by_a_given_alpha(String mode) {
    RecipeRequest request = nothing().mode(QuantizationMode.of(mode)).calibration(DATA).build();

    assertThat(backend.alternatives(new Single("MatMul"), request))
        .extracting(each -> each.config().backendKwargs().get("smooth"))
        .contains("auto", 0.8, null);
  }

  @Test
  void alternatives_without_data_smooth_nothing() {
    assertThat(backend.alternatives(new Single("MatMul"), nothing().build()))
        .noneMatch(each -> each.config().backendKwargs().containsKey("smooth"));
  }

  @Test
  void alternatives_keep_to_the_request() {
    assertThat(
            backend.alternatives(
                new Single("MatMul"), nothing().mode(QuantizationMode.DYNAMIC_PTQ).build()))
        .extracting(each -> each.config().mode())
        .containsOnly(QuantizationMode.DYNAMIC_PTQ);
    assertThat(
            backend.alternatives(
                new Single("MatMul"), nothing().target("tensorrt").calibration(DATA).build()))
        .filteredOn(each -> QuantizationMode.STATIC_PTQ.equals(each.config().mode()))
        .allSatisfy(
            each -> assertThat(each.config().backendKwargs()).containsEntry("target", "tensorrt"));
    assertThat(backend.alternatives(new Single("MatMul"), nothing().build()))
        .as("without data nothing is calibrated")
        .noneMatch(each -> QuantizationMode.STATIC_PTQ.equals(each.config().mode()));
  }

  @Test
  void of_a_recurrent_network_stores_weights_even_with_data() {
    assertThat(config("LSTM", nothing().calibration(DATA)).mode())
        .isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
  }

  @Test
  void for_tensorrt_chooses_no_regions_and_nothing_that_runs_only_on_a_cpu() {
    ModelQuantizationConfig withData =
        config("Conv", nothing().target("tensorrt").calibration(DATA));
    ModelQuantizationConfig without = config("MatMul", nothing().target("tensorrt"));

    assertThat(withData.backendKwargs()).containsExactly(Map.entry("target", "tensorrt"));
    assertThat(without.mode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(without.backendKwargs()).isEmpty();
    assertThat(backend.validate(withData)).isEmpty();
    assertThat(backend.validate(without)).isEmpty();
  }

  @Test
  void in_float8_is_static_with_data_and_of_weights_without() {
    RecipeRequest.Builder float8 = nothing().dtype(Dtype.FP8_E4M3FN);
    ModelQuantizationConfig without = config("MatMul", float8);
    ModelQuantizationConfig withData = config("MatMul", float8.calibration(DATA));

    assertThat(without.mode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(without.defaultLayerDtype()).isEqualTo(Dtype.FP8_E4M3FN);
    assertThat(withData.mode()).isEqualTo(QuantizationMode.STATIC_PTQ);
    assertThat(withData.defaultActivationDtype()).isEqualTo(Dtype.FP8_E4M3FN);
    assertThat(withData.backendKwargs()).isEmpty();
  }

  @Test
  void has_the_requested_mode() {
    assertThat(config("Conv", nothing().mode(QuantizationMode.DYNAMIC_PTQ)).mode())
        .isEqualTo(QuantizationMode.DYNAMIC_PTQ);
  }

  @Test
  void is_missing_where_the_requested_mode_has_not_the_dtype() {
    RecipeRequest request =
        nothing().mode(QuantizationMode.DYNAMIC_PTQ).dtype(Dtype.FP8_E4M3FN).build();

    assertThat(recipe("MatMul", request)).isEmpty();
  }

  @Test
  void says_what_the_model_was_taken_for() {
    assertThat(recipe("Conv", RecipeRequest.ANY).orElseThrow().reason())
        .startsWith("This is a convolutional network. Without data only weights are quantized");
  }
}
