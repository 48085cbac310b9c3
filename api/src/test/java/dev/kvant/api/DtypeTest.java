package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A dtype, mode or algorithm")
class DtypeTest {

  @ParameterizedTest
  @CsvSource({
    "int8, int8",
    "INT8, int8",
    "float8_e4m3fn, fp8_e4m3fn",
    "FP8_E5M2, fp8_e5m2",
    "Float8_E5M2, fp8_e5m2",
    "native, native",
    "int4_group, int4_group"
  })
  void has_one_canonical_name(String written, String canonical) {
    assertThat(Dtype.of(written).name()).isEqualTo(canonical);
  }

  @Test
  void is_equal_to_one_written_otherwise() {
    assertThat(Dtype.of("float8_e4m3fn")).isEqualTo(Dtype.FP8_E4M3FN);
    assertThat(CalibrationAlgorithm.of("Max")).isEqualTo(CalibrationAlgorithm.MINMAX);
  }

  @Test
  void of_a_mode_is_equal_in_any_case() {
    assertThat(QuantizationMode.of(" Weight_Only_PTQ")).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(QuantizationMode.of("mixed_ptq")).isNotEqualTo(QuantizationMode.STATIC_PTQ);
  }

  @ParameterizedTest
  @CsvSource({"cpu, true", "CUDA:1, true", "cuda, true", "gpu, false", "cuda:, false"})
  void of_a_device_is_known_by_its_form(String name, boolean known) {
    assertThat(Device.of(name).isKnown()).isEqualTo(known);
  }
}
