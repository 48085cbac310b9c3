package dev.kvant.validation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.LabelKind;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.WeightQuantizationConfig;
import dev.kvant.spi.QuantizationBackend;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Checking a configuration")
class ConfigurationValidatorTest {

  private final ConfigurationValidator validator = new ConfigurationValidator();

  @AfterEach
  void close() {
    validator.close();
  }

  private List<String> problems(
      ModelQuantizationConfig.Builder config, @Nullable QuantizationBackend backend) {
    return validator.check(config.build(), backend).problems().stream()
        .map(ConfigurationProblem::toString)
        .toList();
  }

  private List<String> warnings(
      ModelQuantizationConfig.Builder config, QuantizationBackend backend) {
    CheckedConfiguration checked = validator.check(config.build(), backend);
    assertThat(checked.problems()).isEmpty();
    return checked.warnings().stream().map(QuantizationWarning::message).toList();
  }

  private static ModelQuantizationConfig.Builder torchao() {
    return ModelQuantizationConfig.builder().backend("torchao").defaultLayerDtype(Dtype.INT8);
  }

  private static ModelQuantizationConfig.Builder onnx(QuantizationMode mode) {
    return ModelQuantizationConfig.builder().backend("onnx").mode(mode);
  }

  @Test
  void fills_in_the_backends_id_and_its_only_mode() {
    ModelQuantizationConfig config =
        validator
            .check(torchao().backend("TorchAO.alias").build(), DescribedBackend.torchao())
            .orThrow();

    assertThat(config.backend()).isEqualTo("torchao");
    assertThat(config.mode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
  }

  @Test
  void fills_in_the_default_of_several_modes() {
    assertThat(
            validator
                .check(
                    ModelQuantizationConfig.builder()
                        .backend("onnx")
                        .defaultLayerDtype(Dtype.INT8)
                        .build(),
                    DescribedBackend.onnx().withDefault(QuantizationMode.STATIC_PTQ))
                .orThrow()
                .mode())
        .isEqualTo(QuantizationMode.STATIC_PTQ);
  }

  @Test
  void asks_for_the_mode_when_there_are_several() {
    assertThat(problems(ModelQuantizationConfig.builder().backend("onnx"), DescribedBackend.onnx()))
        .containsExactly(
            "quantize.mode: is required; backend 'onnx' supports weight_only_ptq, static_ptq");
  }

  @Test
  void lists_the_modes_of_the_backend_for_one_that_it_does_not_support() {
    assertThat(problems(torchao().mode(QuantizationMode.STATIC_PTQ), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.mode: 'static_ptq' is not supported by backend 'torchao'; use"
                + " weight_only_ptq");
  }

  @Test
  void lists_the_dtypes_for_this_backend_mode_and_operand() {
    Dtype int4 = Dtype.of("int4");

    assertThat(
            problems(
                torchao().layer("a", Dtype.INT8).layer("b", Dtype.NATIVE).layer("c", int4),
                DescribedBackend.torchao()))
        .containsExactly(
            "quantize.layers[2].weights.dtype: 'int4' is not supported by backend 'torchao' in"
                + " weight_only_ptq; use one of int8, fp8_e4m3fn, fp8_e5m2, native");
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ).layer("a", Dtype.INT8, Dtype.FP8_E4M3FN),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.layers[0].activations.dtype: 'fp8_e4m3fn' is not supported by backend 'onnx'"
                + " in static_ptq; use one of int8, native");
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ)
                    .defaultLayerDtype(int4)
                    .defaultActivationDtype(int4),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.default_layer_dtype: 'int4' is not supported by backend 'onnx' in static_ptq;"
                + " use one of int8, fp8_e4m3fn, fp8_e5m2, native",
            "quantize.default_activation_dtype: 'int4' is not supported by backend 'onnx' in"
                + " static_ptq; use one of int8, native");
  }

  @Test
  void finds_dtypes_that_no_mode_supports_even_while_the_mode_is_wrong() {
    assertThat(
            problems(
                torchao().mode(QuantizationMode.STATIC_PTQ).layer("a", Dtype.of("int4")),
                DescribedBackend.torchao()))
        .containsExactly(
            "quantize.mode: 'static_ptq' is not supported by backend 'torchao'; use"
                + " weight_only_ptq",
            "quantize.layers[0].weights.dtype: 'int4' is not supported by backend 'torchao'; use"
                + " one of int8, fp8_e4m3fn, fp8_e5m2, native");
  }

  @Test
  void warns_once_a_rule_of_activations_that_are_left_as_they_are() {
    assertThat(
            warnings(
                torchao()
                    .layer("a", Dtype.INT8, Dtype.of("int4"))
                    .layer("b", Dtype.INT8, Dtype.NATIVE)
                    .layer("c", Dtype.INT8, Dtype.INT8)
                    .defaultActivationDtype(Dtype.INT8),
                DescribedBackend.torchao()))
        .containsExactly(
            "default_activation_dtype is ignored: backend 'torchao' leaves activations as they are"
                + " in weight_only_ptq",
            "layers[0] 'a': activations are ignored: backend 'torchao' leaves activations as they"
                + " are in weight_only_ptq",
            "layers[2] 'c': activations are ignored: backend 'torchao' leaves activations as they"
                + " are in weight_only_ptq");
  }

  @Test
  void lists_the_algorithms_of_the_mode() {
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ).algorithm(CalibrationAlgorithm.MSE),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.algorithm: 'mse' is not supported by backend 'onnx' in static_ptq; use one of"
                + " minmax, entropy");
  }

  @Test
  void warns_of_an_algorithm_where_nothing_is_calibrated() {
    assertThat(
            warnings(torchao().algorithm(CalibrationAlgorithm.ENTROPY), DescribedBackend.torchao()))
        .containsExactly(
            "algorithm 'entropy' is ignored: backend 'torchao' calibrates nothing in"
                + " weight_only_ptq");
    assertThat(
            warnings(torchao().algorithm(CalibrationAlgorithm.MINMAX), DescribedBackend.torchao()))
        .isEmpty();
  }

  @Test
  void knows_algorithms_even_where_nothing_is_calibrated() {
    assertThat(
            problems(
                torchao().algorithm(CalibrationAlgorithm.of("minmacs")),
                DescribedBackend.torchao()))
        .containsExactly(
            "quantize.algorithm: 'minmacs' is not known; use one of minmax, entropy, percentile,"
                + " mse, gptq");
  }

  private static LayerQuantizationConfig observed(String observer) {
    return new LayerQuantizationConfig(
        "a", new WeightQuantizationConfig(Dtype.INT8, null, observer, Map.of()), null);
  }

  @Test
  void checks_the_algorithm_of_a_rule_like_that_of_all() {
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ).layer(observed("percentile")),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.layers[0].weights.observer_or_fake_quant: 'percentile' is not supported by"
                + " backend 'onnx' in static_ptq; use one of minmax, entropy");
    assertThat(warnings(torchao().layer(observed("entropy")), DescribedBackend.torchao()))
        .containsExactly(
            "layers[0] 'a': observer_or_fake_quant is ignored: backend 'torchao' calibrates nothing"
                + " in weight_only_ptq");
  }

  @Test
  void names_the_nearest_option_for_an_unknown_one() {
    assertThat(problems(torchao().backendKwarg("kernle", "x"), DescribedBackend.torchao()))
        .containsExactly("quantize.backend_kwargs.kernle: is unknown; did you mean 'kernel'?");
    assertThat(problems(torchao().backendKwarg("zzz", "x"), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.backend_kwargs.zzz: is unknown; backend 'torchao' has runtime_modules,"
                + " kernel, range, version, depth, factor, amount, title, names");
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ).backendKwarg("kernel", "x"),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.backend_kwargs.kernel: is unknown; backend 'onnx' has no options");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "runtime_modules | must be true or false, but is 'x'",
        "kernel | 'x' is not possible; use one of dequantize, int8pack",
        "depth | must be an integer, but is 'x'",
        "factor | must be a number, but is 'x'",
        "amount | must be a number or one of off, auto, but is 'x'",
        "names | must be a list of texts, but is 'x'",
      })
  void tells_what_an_option_must_be(String key, String message) {
    assertThat(problems(torchao().backendKwarg(key, "x"), DescribedBackend.torchao()))
        .containsExactly("quantize.backend_kwargs.%s: %s".formatted(key, message));
  }

  @Test
  void takes_options_of_the_right_type() {
    assertThat(
            problems(
                torchao()
                    .backendKwarg("runtime_modules", true)
                    .backendKwarg("kernel", "int8pack")
                    .backendKwarg("depth", 3)
                    .backendKwarg("factor", 0.5)
                    .backendKwarg("amount", false)
                    .backendKwarg("title", "x")
                    .backendKwarg("names", List.of("a")),
                DescribedBackend.torchao()))
        .isEmpty();
    assertThat(problems(torchao().backendKwarg("title", 3), DescribedBackend.torchao()))
        .containsExactly("quantize.backend_kwargs.title: must be a text, but is '3'");
    assertThat(problems(torchao().backendKwarg("kernel", 3), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.backend_kwargs.kernel: must be one of dequantize, int8pack, but is '3'");
  }

  static Stream<Arguments> numbersOutOfRange() {
    return Stream.of(
        Arguments.of("depth", 99999999999L, "from -2147483648 to 2147483647"),
        Arguments.of("depth", new BigInteger("9".repeat(30)), "from -2147483648 to 2147483647"),
        Arguments.of("factor", Double.NaN, "finite"),
        Arguments.of("amount", Double.NaN, "finite"),
        Arguments.of("factor", Double.NEGATIVE_INFINITY, "finite"),
        Arguments.of("factor", new BigDecimal("1e400"), "finite"));
  }

  @ParameterizedTest
  @MethodSource("numbersOutOfRange")
  void refuses_a_number_that_would_become_another(String key, Number value, String range) {
    assertThat(problems(torchao().backendKwarg(key, value), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.backend_kwargs.%s: must be %s, but is '%s'".formatted(key, range, value));
  }

  @Test
  void refuses_an_option_that_is_null() {
    Map<String, Object> kwargs = new HashMap<>();
    kwargs.put("depth", null);
    ModelQuantizationConfig config = torchao().build();
    ModelQuantizationConfig withNull =
        new ModelQuantizationConfig(
            config.backend(),
            config.mode(),
            config.algorithm(),
            config.defaultLayerDtype(),
            config.defaultActivationDtype(),
            config.layers(),
            config.skipNames(),
            config.moduleClasses(),
            config.modelPath(),
            config.resultsDir(),
            kwargs,
            config.calibration(),
            config.evaluation(),
            config.verify(),
            config.strict(),
            config.device());

    assertThat(validator.check(withNull, DescribedBackend.torchao()).problems())
        .extracting(ConfigurationProblem::toString)
        .containsExactly("quantize.backend_kwargs.depth: must be an integer, but is 'null'");
  }

  static Stream<ModelQuantizationConfig> askingForNothing() {
    return Stream.of(
        ModelQuantizationConfig.builder().backend("torchao").build(),
        ModelQuantizationConfig.builder().backend("torchao").skip("*").build(),
        ModelQuantizationConfig.builder().backend("torchao").layer("*", Dtype.NATIVE).build(),
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .layer(
                new LayerQuantizationConfig(
                    "*", new WeightQuantizationConfig(null, 0, null, Map.of()), null))
            .build());
  }

  @ParameterizedTest
  @MethodSource("askingForNothing")
  void refuses_what_asks_for_nothing_and_only_warns_where_it_is_not_strict(
      ModelQuantizationConfig config) {
    String message =
        "no rule or default asks for anything to be quantized; add a rule with a dtype, as in"
            + " {module_name: Linear, weights: {dtype: int8}}, or set default_layer_dtype";

    assertThat(validator.check(config, DescribedBackend.torchao()).problems())
        .containsExactly(new ConfigurationProblem("quantize.layers", message));

    CheckedConfiguration lenient =
        validator.check(config.toBuilder().strict(false).build(), DescribedBackend.torchao());
    assertThat(lenient.problems()).isEmpty();
    assertThat(lenient.warnings()).extracting(QuantizationWarning::message).contains(message);
  }

  @Test
  void does_not_judge_as_a_whole_what_could_not_be_read_whole() {
    DescribedBackend picky =
        DescribedBackend.torchao(new ConfigurationProblem("quantize.layers", "I do not like it"));
    ModelQuantizationConfig nothing = ModelQuantizationConfig.builder().backend("torchao").build();

    assertThat(validator.check(nothing, picky, false).problems()).isEmpty();
  }

  @Test
  void takes_a_number_where_it_is_one_of_the_texts_to_choose_from() {
    for (Object version : List.of("0.33", 0.33)) {
      assertThat(problems(torchao().backendKwarg("version", version), DescribedBackend.torchao()))
          .isEmpty();
    }
    assertThat(problems(torchao().backendKwarg("version", 0.4), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.backend_kwargs.version: must be one of 0.47, 0.33, but is '0.4'");
  }

  @Test
  void takes_true_and_false_where_they_are_among_the_texts_to_choose_from() {
    for (Object range : List.of("auto", true, "true", false)) {
      assertThat(problems(torchao().backendKwarg("range", range), DescribedBackend.torchao()))
          .isEmpty();
    }
    assertThat(problems(torchao().backendKwarg("version", true), DescribedBackend.torchao()))
        .singleElement()
        .asString()
        .startsWith("quantize.backend_kwargs.version: must be one of 0.47, 0.33");
  }

  @Test
  void names_fields_as_documents_do_in_the_constraints_of_records() {
    assertThat(
            problems(
                ModelQuantizationConfig.builder()
                    .layer("a", Dtype.INT8)
                    .layer(" ", Dtype.INT8)
                    .skip("b")
                    .skip("")
                    .calibration(
                        CalibrationConfig.builder(Path.of("c")).batchSize(0).maxBatches(-1).build())
                    .evaluation(EvaluationConfig.of(Path.of("d"), -5)),
                null))
        .containsExactlyInAnyOrder(
            "quantize.backend: is required; name the backend that quantizes",
            "quantize.layers[1].module_name: must not be empty; use '*' to match every module",
            "quantize.skip_names[1]: must not be empty",
            "quantize.calibration.batch_size: must be greater than 0",
            "quantize.calibration.max_batches: must be greater than 0",
            "quantize.evaluation.batch_size: must be greater than 0");
  }

  @Test
  void names_gates_that_no_figure_can_reach() {
    EvaluationConfig evaluation =
        new EvaluationConfig(
            DataConfig.of(Path.of("d")),
            null,
            LabelKind.CLASSES,
            EvaluationGates.NONE.withMinTop1(99.0).withMaxCer(-1.0));

    assertThat(problems(torchao().evaluation(evaluation), null))
        .containsExactlyInAnyOrder(
            "quantize.evaluation.gates.min_top1: must be at most 1",
            "quantize.evaluation.gates.max_cer: must be at least 0");
  }

  @Test
  void speaks_english_whatever_the_machine_speaks() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.GERMAN);
    try {
      assertThat(problems(torchao().evaluation(EvaluationConfig.of(Path.of("d"), 0)), null))
          .containsExactly("quantize.evaluation.batch_size: must be greater than 0");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void finds_rules_that_say_nothing() {
    LayerQuantizationConfig silent =
        new LayerQuantizationConfig(
            "a", new WeightQuantizationConfig(null, null, null, Map.of()), null);

    assertThat(problems(torchao().layer(silent), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.layers[0]: says nothing about weights or activations; give one of them a"
                + " dtype");
    assertThat(warnings(torchao().layer(silent).strict(false), DescribedBackend.torchao()))
        .containsExactly(
            "layers[0] 'a' says nothing about weights or activations; give one of them a dtype");
  }

  @Test
  void takes_rules_that_only_say_how() {
    LayerQuantizationConfig axisOnly =
        new LayerQuantizationConfig(
            "a", new WeightQuantizationConfig(null, 1, null, Map.of()), null);

    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ).defaultLayerDtype(Dtype.INT8).layer(axisOnly),
                DescribedBackend.onnx()))
        .isEmpty();
  }

  private static LayerQuantizationConfig shared(@Nullable Integer axis, @Nullable String text) {
    return new LayerQuantizationConfig(
        "a",
        new WeightQuantizationConfig(
            Dtype.INT8, axis, text == null ? null : Granularity.of(text), null, Map.of()),
        null);
  }

  @Test
  void finds_granularities_that_the_backend_does_not_have() {
    assertThat(
            problems(
                onnx(QuantizationMode.STATIC_PTQ)
                    .layer(shared(null, "group:32"))
                    .layer(
                        new LayerQuantizationConfig(
                            "b",
                            null,
                            new ActivationQuantizationConfig(Dtype.INT8, -1, null, Map.of()))),
                DescribedBackend.onnx()))
        .containsExactly(
            "quantize.layers[0].weights.granularity: 'group:32' is not supported by backend 'onnx'"
                + " in static_ptq; use granularity: one of channel, axis:N",
            "quantize.layers[1].activations.quant_axis: quant_axis -1 is not supported by backend"
                + " 'onnx' in static_ptq; use granularity: tensor");
  }

  @Test
  void finds_both_keys_of_granularity_in_one_rule() {
    assertThat(problems(torchao().layer(shared(0, "channel")), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.layers[0].weights.granularity: 'channel' and quant_axis 0 are in one rule;"
                + " write one of them");
  }

  @Test
  void remarks_that_the_last_axis_is_not_one_scale() {
    assertThat(warnings(torchao().layer(shared(-1, null)), DescribedBackend.torchao()))
        .containsExactly(
            "layers[0] 'a': quant_axis -1 is the last axis; for one scale for all values write"
                + " granularity: tensor");
    assertThat(warnings(torchao().layer(shared(-2, null)), DescribedBackend.torchao())).isEmpty();
    assertThat(warnings(torchao().layer(shared(null, "axis:-1")), DescribedBackend.torchao()))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu", "cuda:", "cuda:x", "cpu:0", ""})
  void knows_devices_by_their_form(String device) {
    assertThat(problems(torchao().device(Device.of(device)), DescribedBackend.torchao()))
        .containsExactly(
            "quantize.device: '%s' is not a device; use cpu, cuda or cuda:N".formatted(device));
  }

  @Test
  void finds_classes_without_a_pattern_or_a_name() {
    assertThat(problems(torchao().moduleClass("", "Linear").moduleClass("a", " "), null))
        .containsExactly(
            "quantize.module_classes: ': Linear' needs a pattern and a class name",
            "quantize.module_classes: 'a:  ' needs a pattern and a class name");
  }

  @Test
  void asks_the_backend_once_all_else_is_right() {
    DescribedBackend picky =
        DescribedBackend.torchao(new ConfigurationProblem("quantize.layers", "I do not like it"));

    assertThat(problems(torchao(), picky)).containsExactly("quantize.layers: I do not like it");
    assertThat(problems(torchao().device(Device.of("gpu")), picky))
        .noneMatch(problem -> problem.contains("I do not like it"));
  }

  @Test
  void throws_all_problems_in_one() {
    assertThatThrownBy(
            () ->
                validator
                    .check(
                        torchao().device(Device.of("gpu")).layer("a", Dtype.of("x")).build(),
                        DescribedBackend.torchao())
                    .orThrow())
        .isInstanceOfSatisfying(
            InvalidConfigurationException.class, e -> assertThat(e.problems()).hasSize(2));
  }
}
