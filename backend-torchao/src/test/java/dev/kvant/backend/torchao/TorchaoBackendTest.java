package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchaoBackendTest {

  private final TorchaoBackend backend = new TorchaoBackend();

  @Test
  void it_is_found_as_a_service() {
    assertThat(ServiceLoader.load(QuantizationBackend.class))
        .hasAtLeastOneElementOfType(TorchaoBackend.class);
  }

  @Test
  void it_quantizes_weights_to_three_dtypes_and_inputs_to_int8() {
    var descriptor = backend.descriptor();

    assertThat(descriptor.id()).isEqualTo("torchao");
    assertThat(descriptor.modes())
        .containsOnlyKeys(QuantizationMode.WEIGHT_ONLY_PTQ, QuantizationMode.DYNAMIC_PTQ);
    assertThat(descriptor.modes().get(QuantizationMode.DYNAMIC_PTQ))
        .isEqualTo(
            ModeDescriptor.builder()
                .weights(List.of(Dtype.INT8))
                .activations(List.of(Dtype.INT8))
                .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
                .build());
    assertThat(descriptor.modes().get(QuantizationMode.WEIGHT_ONLY_PTQ))
        .isEqualTo(
            ModeDescriptor.builder()
                .weights(List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2))
                .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
                .build());
    assertThat(descriptor.defaultMode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(descriptor.formats())
        .containsExactly("torchscript", "pt2", "pytorch", "safetensors");
    assertThat(descriptor.artifacts())
        .containsExactly(
            "quantized_model_torchao.pth",
            "quantized_model_torchao.pt",
            "quantized_model_torchao.pt2");
    assertThat(descriptor.options())
        .extracting(OptionDescriptor::key, OptionDescriptor::defaultValue)
        .containsExactly(
            tuple("kernel", "dequantize"),
            tuple("runtime_modules", "false"),
            tuple("reduce_range", "auto"));
  }

  @ParameterizedTest
  @CsvSource({"Linear,2", "Embedding,2"})
  void what_torchao_runs_is_quantized_everywhere(String type, int dimensions) {
    for (String format : List.of("torchscript", "pt2", "pytorch", "safetensors")) {
      assertThat(supports(module(type, ElementType.FLOAT32, dimensions), format, false))
          .isEqualTo(Support.yes());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "float16", "bfloat16"})
  void weights_of_the_usual_types_are_quantized(ElementType type) {
    assertThat(supports(module("Linear", type, 2), "pytorch", false)).isEqualTo(Support.yes());
  }

  static List<ElementType> otherTypes() {
    return ElementType.standard().stream()
        .filter(type -> !List.of("float32", "float16", "bfloat16").contains(type.label()))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("otherTypes")
  void weights_of_other_types_are_not(ElementType type) {
    assertThat(reason(supports(module("Linear", type, 2), "pytorch", false)))
        .isEqualTo(
            "its weight is %s; float32, float16 and bfloat16 can be quantized".formatted(type));
  }

  @ParameterizedTest
  @ValueSource(strings = {"LayerNorm", "BatchNorm2d", "LSTM", "MultiheadAttention", "Bilinear"})
  void other_classes_stay_native(String type) {
    assertThat(reason(supports(module(type, ElementType.FLOAT32, 2), "torchscript", true)))
        .isEqualTo("torchao runs Linear and Embedding with quantized weights, not " + type);
  }

  @Test
  void a_module_of_unknown_class_is_told_how_to_name_it() {
    var module = new ModuleDescription(List.of("m"), List.of(), true, List.of(tensor("weight", 2)));

    assertThat(reason(supports(module, "pytorch", false))).contains("module_classes");
  }

  @Test
  void a_module_without_a_weight_stays_native() {
    var module =
        new ModuleDescription(
            List.of("m"), List.of("Linear"), false, List.of(tensor("weight_g", 2)));

    assertThat(reason(supports(module, "torchscript", false)))
        .isEqualTo("it has no tensor named 'weight'");
  }

  @Test
  void a_weight_of_another_number_of_dimensions_stays_native() {
    assertThat(reason(supports(module("Linear", ElementType.FLOAT32, 3), "pytorch", false)))
        .isEqualTo("its weight has the shape [4, 4, 4], which is none of a Linear");
  }

  @Test
  void an_empty_weight_stays_native() {
    var module =
        new ModuleDescription(
            List.of("m"),
            List.of("Linear"),
            false,
            List.of(new TensorDescription("weight", ElementType.FLOAT32, List.of(0L, 4L), "s")));

    assertThat(reason(supports(module, "pytorch", false)))
        .isEqualTo("its weight is empty, shape [0, 4]");
  }

  @ParameterizedTest
  @CsvSource({
    "Conv1d,3",
    "Conv2d,4",
    "Conv3d,5",
    "ConvTranspose1d,3",
    "ConvTranspose2d,4",
    "ConvTranspose3d,5",
    "NonDynamicallyQuantizableLinear,2"
  })
  void what_torchao_cannot_run_is_quantized_in_the_runnable_artifact_on_request(
      String type, int dimensions) {
    var module = module(type, ElementType.FLOAT32, dimensions);

    assertThat(supports(module, "torchscript", true)).isInstanceOf(Support.Partly.class);
    assertThat(((Support.Partly) supports(module, "torchscript", true)).nativeIn())
        .containsOnlyKeys("quantized_model_torchao.pth");
    assertThat(reason(supports(module, "torchscript", false)))
        .contains("runtime_modules: true")
        .contains("quantized_model_torchao.pt");
    assertThat(reason(supports(module, "pytorch", true))).doesNotContain("runtime_modules");
  }

  @Test
  void activations_are_left_alone() {
    assertThat(
            reason(
                backend.supports(
                    new SupportQuery(
                        module("Linear", ElementType.FLOAT32, 2),
                        Operand.ACTIVATIONS,
                        Dtype.INT8,
                        null,
                        "pytorch",
                        config(Map.of())))))
        .contains("leaves activations as they are");
  }

  @ParameterizedTest
  @CsvSource({
    "Linear,2,''",
    "Embedding,2,the input of an Embedding is indices",
    "NonDynamicallyQuantizableLinear,2,MultiheadAttention multiplies with its weight without"
        + " calling it",
    "Conv2d,4,'dynamic_ptq quantizes inputs of Linear, not of Conv2d'",
    "LSTM,2,'torchao runs Linear and Embedding with quantized weights, not LSTM'"
  })
  void inputs_of_linear_are_quantized_at_run_time(String type, int dimensions, String reason) {
    Support support = input(module(type, ElementType.FLOAT32, dimensions), "pytorch");

    if (reason.isEmpty()) {
      assertThat(support).isEqualTo(Support.yes());
    } else {
      assertThat(reason(support)).isEqualTo(reason);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"float16", "bfloat16"})
  void inputs_of_half_precision_are_quantized_in_python_alone(ElementType type) {
    assertThat(input(module("Linear", type, 2), "pytorch")).isEqualTo(Support.yes());
    assertThat(((Support.Partly) input(module("Linear", type, 2), "torchscript")).nativeIn())
        .containsExactly(
            Map.entry(
                "quantized_model_torchao.pt",
                "libtorch multiplies integers for float32 modules, and this one is " + type));
  }

  private Support input(ModuleDescription module, String format) {
    return backend.supports(
        new SupportQuery(
            module,
            Operand.ACTIVATIONS,
            Dtype.INT8,
            null,
            format,
            ModelQuantizationConfig.builder()
                .backend("torchao")
                .mode(QuantizationMode.DYNAMIC_PTQ)
                .build()));
  }

  @Test
  void the_range_of_codes_is_reduced_only_for_products_of_integers() {
    var config =
        ModelQuantizationConfig.builder().backend("torchao").backendKwarg("reduce_range", "auto");

    assertThat(backend.validate(config.mode(QuantizationMode.WEIGHT_ONLY_PTQ).build()))
        .extracting(ConfigurationProblem::path)
        .containsExactly("quantize.backend_kwargs.reduce_range");
    assertThat(backend.validate(config.mode(QuantizationMode.DYNAMIC_PTQ).build())).isEmpty();
  }

  @Test
  void a_scale_per_output_channel_is_the_only_axis() {
    ModuleDescription linear = module("Linear", ElementType.FLOAT32, 2);
    ModuleDescription transposed = module("ConvTranspose2d", ElementType.FLOAT32, 4);

    assertThat(supports(linear, null)).isInstanceOf(Support.Yes.class);
    assertThat(supports(linear, Granularity.CHANNEL)).isInstanceOf(Support.Yes.class);
    assertThat(supports(linear, Granularity.axis(0))).isInstanceOf(Support.Yes.class);
    assertThat(reason(supports(linear, Granularity.axis(1)))).contains("axis 0 of a Linear");
    assertThat(supports(transposed, Granularity.axis(1))).isInstanceOf(Support.Partly.class);
    assertThat(reason(supports(transposed, Granularity.axis(0))))
        .contains("axis 1 of a ConvTranspose2d");
  }

  private Support supports(ModuleDescription module, @Nullable Granularity granularity) {
    return backend.supports(
        new SupportQuery(
            module,
            Operand.WEIGHTS,
            Dtype.INT8,
            granularity,
            "torchscript",
            config(Map.of("runtime_modules", true))));
  }

  @Test
  void int8pack_is_for_int8() {
    var config =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .backendKwarg("kernel", "int8pack")
            .defaultLayerDtype(Dtype.FP8_E5M2)
            .layer("a", Dtype.INT8)
            .layer("b", Dtype.FP8_E4M3FN);

    assertThat(backend.validate(config.build()))
        .containsExactly(
            new ConfigurationProblem(
                "quantize.backend_kwargs.kernel",
                "int8pack multiplies int8 weights only, and default_layer_dtype, layers[1].weights"
                    + " asks for float8; use dequantize, or int8 everywhere"));
    assertThat(backend.validate(config.backendKwarg("kernel", "dequantize").build())).isEmpty();
  }

  private static TensorDescription tensor(String name, int dimensions) {
    return new TensorDescription(
        name, ElementType.FLOAT32, Collections.nCopies(dimensions, 4L), "s");
  }

  private static ModuleDescription module(String type, ElementType elementType, int dimensions) {
    return new ModuleDescription(
        List.of("m"),
        List.of(type),
        false,
        List.of(
            new TensorDescription(
                "weight", elementType, Collections.nCopies(dimensions, 4L), "s")));
  }

  private static ModelQuantizationConfig config(Map<String, Object> options) {
    var builder = ModelQuantizationConfig.builder().backend("torchao");
    options.forEach(builder::backendKwarg);
    return builder.build();
  }

  private Support supports(ModuleDescription module, String format, boolean runtimeModules) {
    return backend.supports(
        new SupportQuery(
            module,
            Operand.WEIGHTS,
            Dtype.INT8,
            null,
            format,
            config(Map.of("runtime_modules", runtimeModules))));
  }

  private static String reason(Support support) {
    assertThat(support).isInstanceOf(Support.No.class);
    return ((Support.No) support).reason();
  }
}
