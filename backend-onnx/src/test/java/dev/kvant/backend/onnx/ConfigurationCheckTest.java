package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.WeightQuantizationConfig;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A configuration for the ONNX backend")
class ConfigurationCheckTest {

  private final OnnxBackend backend = new OnnxBackend();

  @Test
  void without_options_has_no_problem() {
    assertThat(backend.validate(config().build())).isEmpty();
  }

  @Test
  void with_bits_and_block_sizes_that_do_not_exist_is_refused() {
    assertThat(
            problems(
                config()
                    .backendKwarg("kernel", "nbits")
                    .backendKwarg("bits", 3)
                    .backendKwarg("block_size", 48)
                    .backendKwarg("accuracy_level", 5)))
        .containsExactly(
            "quantize.backend_kwargs.bits",
            "quantize.backend_kwargs.block_size",
            "quantize.backend_kwargs.accuracy_level");
  }

  @Test
  void with_bits_for_a_kernel_that_has_none_is_refused() {
    assertThat(problems(config().backendKwarg("bits", 4)))
        .containsExactly("quantize.backend_kwargs.bits");
    assertThat(problems(config().backendKwarg("accuracy_level", 4)))
        .containsExactly("quantize.backend_kwargs.accuracy_level");
    assertThat(problems(config().backendKwarg("symmetric", false)))
        .containsExactly("quantize.backend_kwargs.symmetric");
  }

  @Test
  void with_entropy_for_float8_is_refused_once() {
    assertThat(
            problems(
                config()
                    .mode(QuantizationMode.STATIC_PTQ)
                    .algorithm(CalibrationAlgorithm.ENTROPY)
                    .defaultLayerDtype(Dtype.FP8_E4M3FN)
                    .defaultActivationDtype(Dtype.FP8_E4M3FN)))
        .containsExactly("quantize.algorithm");
    assertThat(
            problems(
                config()
                    .mode(QuantizationMode.STATIC_PTQ)
                    .layer(
                        new LayerQuantizationConfig(
                            "*",
                            new WeightQuantizationConfig(Dtype.FP8_E5M2, null, "entropy", Map.of()),
                            null))))
        .containsExactly("quantize.layers[0].weights.observer_or_fake_quant");
  }

  @Test
  void with_smoothing_where_it_has_no_place_or_no_meaning_is_refused() {
    assertThat(problems(config().backendKwarg("smooth", 0.5)))
        .containsExactly("quantize.backend_kwargs.smooth");
    for (Object alpha : List.of(-0.1, 1.5, 2)) {
      assertThat(problems(config().mode(QuantizationMode.STATIC_PTQ).backendKwarg("smooth", alpha)))
          .containsExactly("quantize.backend_kwargs.smooth");
    }
    for (Map.Entry<String, Object> other :
        Map.<String, Object>of("optimize", "speed", "quantize_outputs", true).entrySet()) {
      assertThat(
              backend.validate(
                  config()
                      .mode(QuantizationMode.STATIC_PTQ)
                      .backendKwarg("smooth", 0.5)
                      .backendKwarg(other.getKey(), other.getValue())
                      .build()))
          .extracting(ConfigurationProblem::message)
          .singleElement()
          .asString()
          .contains(other.getKey());
    }
    for (Object smooth : List.of(false, "off", 0, 1, 0.8)) {
      assertThat(
              problems(config().mode(QuantizationMode.STATIC_PTQ).backendKwarg("smooth", smooth)))
          .isEmpty();
    }
  }

  @Test
  void with_algorithms_that_a_kernel_does_not_have_is_refused() {
    assertThat(problems(config().algorithm(CalibrationAlgorithm.GPTQ)))
        .containsExactly("quantize.algorithm");
    assertThat(
            problems(
                config()
                    .algorithm(CalibrationAlgorithm.PERCENTILE)
                    .backendKwarg("kernel", "nbits")))
        .containsExactly("quantize.algorithm");
    for (CalibrationAlgorithm algorithm :
        List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.MSE, CalibrationAlgorithm.GPTQ)) {
      assertThat(problems(config().algorithm(algorithm).backendKwarg("kernel", "nbits"))).isEmpty();
    }
  }

  @Test
  void with_the_kernel_of_weights_for_activations_is_refused() {
    assertThat(problems(config().mode(QuantizationMode.STATIC_PTQ).backendKwarg("kernel", "nbits")))
        .containsExactly("quantize.backend_kwargs.kernel");
  }

  @Test
  void with_options_of_activations_for_weights_alone_is_refused() {
    assertThat(
            problems(
                config().backendKwarg("quantize_outputs", true).backendKwarg("target", "tensorrt")))
        .containsExactly(
            "quantize.backend_kwargs.quantize_outputs", "quantize.backend_kwargs.target");
    assertThat(
            backend.validate(
                config()
                    .backendKwarg("kernel", "nbits")
                    .backendKwarg("target", "tensorrt")
                    .build()))
        .extracting(ConfigurationProblem::message)
        .containsExactly(
            "tensorrt does not know MatMulNBits, the operator of kernel: nbits; use kernel: qdq and"
                + " leave the target out");
  }

  @Test
  void with_a_range_of_codes_for_weights_alone_is_refused() {
    assertThat(problems(config().backendKwarg("reduce_range", "auto")))
        .containsExactly("quantize.backend_kwargs.reduce_range");
    assertThat(
            problems(config().mode(QuantizationMode.STATIC_PTQ).backendKwarg("reduce_range", true)))
        .isEmpty();
    assertThat(
            problems(
                config().mode(QuantizationMode.DYNAMIC_PTQ).backendKwarg("reduce_range", "false")))
        .isEmpty();
  }

  @Test
  void with_options_of_activations_at_their_defaults_has_no_problem() {
    assertThat(
            problems(
                config().backendKwarg("quantize_outputs", false).backendKwarg("target", "cpu")))
        .isEmpty();
    assertThat(
            problems(
                config()
                    .mode(QuantizationMode.STATIC_PTQ)
                    .backendKwarg("quantize_outputs", true)
                    .backendKwarg("target", "tensorrt")))
        .isEmpty();
  }

  @Test
  void with_an_observer_of_distributions_for_weights_is_refused() {
    assertThat(
            problems(
                config()
                    .layer(
                        new LayerQuantizationConfig(
                            "*",
                            new WeightQuantizationConfig(Dtype.INT8, null, "entropy", Map.of()),
                            null))))
        .containsExactly("quantize.layers[0].weights.observer_or_fake_quant");
  }

  @Test
  void with_an_observer_of_percentiles_is_refused_for_blocks_alone() {
    WeightQuantizationConfig mse = new WeightQuantizationConfig(Dtype.INT8, null, "mse", Map.of());
    WeightQuantizationConfig percentile =
        new WeightQuantizationConfig(Dtype.INT8, null, "percentile", Map.of());

    assertThat(problems(config().layer(new LayerQuantizationConfig("*", percentile, null))))
        .isEmpty();
    assertThat(
            problems(
                config()
                    .backendKwarg("kernel", "nbits")
                    .layer(new LayerQuantizationConfig("*", mse, null))))
        .isEmpty();
    assertThat(
            problems(
                config()
                    .backendKwarg("kernel", "nbits")
                    .layer(new LayerQuantizationConfig("*", percentile, null))))
        .containsExactly("quantize.layers[0].weights.observer_or_fake_quant");
  }

  @Test
  void with_an_option_of_activations_that_is_out_of_range_is_refused() {
    assertThat(
            problems(
                config()
                    .layer(
                        new LayerQuantizationConfig(
                            "*",
                            null,
                            new ActivationQuantizationConfig(
                                Dtype.INT8, null, "percentile", Map.of("percentile", 101))))))
        .containsExactly("quantize.layers[0].activations.observer_or_fake_quant_kwargs.percentile");
  }

  private List<String> problems(ModelQuantizationConfig.Builder config) {
    return backend.validate(config.build()).stream().map(ConfigurationProblem::path).toList();
  }

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder().backend("onnx").mode(QuantizationMode.WEIGHT_ONLY_PTQ);
  }
}
