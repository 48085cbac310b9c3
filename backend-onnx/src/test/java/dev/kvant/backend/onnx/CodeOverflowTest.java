package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.Processor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A warning of sums that overflow")
class CodeOverflowTest {

  private static final Processor WITHOUT_VNNI =
      Processor.of("amd64", List.of("flags\t\t: avx2 avx512f"));
  private static final Processor WITH_VNNI =
      Processor.of("amd64", List.of("flags\t\t: avx2 avx512_vnni"));

  private static Optional<QuantizationWarning> warning(
      Map<String, Object> kwargs, Plans.Wish wish, Processor processor) {
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder().backend("onnx").mode(QuantizationMode.STATIC_PTQ);
    kwargs.forEach(config::backendKwarg);
    ModelQuantizationConfig built = config.build();
    try (QuantizableModel model = new OnnxFormat().open(Digits.RESNET)) {
      QuantizationPlan plan =
          Plans.of(model, QuantizationMode.STATIC_PTQ, (any, module) -> wish, built);
      return CodeOverflow.warning(OnnxOptions.of(built), plan, processor);
    }
  }

  @Test
  void names_the_remedies_and_the_modules() {
    QuantizationWarning warning =
        warning(Map.of("reduce_range", false), Plans.Wish.both(Dtype.INT8), WITHOUT_VNNI)
            .orElseThrow();

    assertThat(warning.message()).contains("reduce_range: auto", "session.x64quantprecision: 1");
    assertThat(warning.modules()).contains("/stem/Conv");
    assertThat(
            warning(Map.of("target", "tensorrt"), Plans.Wish.both(Dtype.INT8), WITHOUT_VNNI)
                .orElseThrow()
                .message())
        .contains("reduce_range: true");
  }

  @Test
  void is_not_given_where_none_can_overflow() {
    Plans.Wish int8 = Plans.Wish.both(Dtype.INT8);

    assertThat(warning(Map.of(), int8, WITHOUT_VNNI)).isEmpty();
    assertThat(warning(Map.of("reduce_range", true), int8, WITHOUT_VNNI)).isEmpty();
    assertThat(warning(Map.of("reduce_range", false), int8, WITH_VNNI)).isEmpty();
    assertThat(
            warning(Map.of("reduce_range", false), Plans.Wish.both(Dtype.FP8_E4M3FN), WITHOUT_VNNI))
        .isEmpty();
  }
}
