package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("A quantized type")
class QuantizedTypeTest {

  @ParameterizedTest
  @EnumSource
  void encodes_the_value_of_every_code_as_that_code(QuantizedType type) {
    for (int code = 0; code < 256; code++) {
      float value = type.decode((byte) code);
      if (!Float.isNaN(value)) {
        assertThat(type.encode(value)).isEqualTo((byte) code);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"INT8, 127", "FLOAT8_E4M3FN, 448", "FLOAT8_E5M2, 57344"})
  void names_its_largest_finite_value(QuantizedType type, float max) {
    assertThat(type.max()).isEqualTo(max);
    assertThat(type.decode(type.encode(max))).isEqualTo(max);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT8_E4M3FN", "FLOAT8_E5M2"})
  void rounds_to_the_nearest_code_and_halfway_to_the_even_one(QuantizedType type) {
    for (int code = 0; type.decode((byte) code) < type.max(); code++) {
      float middle = (type.decode((byte) code) + type.decode((byte) (code + 1))) / 2;
      assertThat(type.encode(Math.nextDown(middle))).isEqualTo((byte) code);
      assertThat(type.encode(Math.nextUp(middle))).isEqualTo((byte) (code + 1));
      assertThat(type.encode(middle)).isEqualTo((byte) (code + (code & 1)));
      assertThat(type.encode(-middle)).isEqualTo((byte) (code + (code & 1) + 0x80));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 0",
    "1.5, 2",
    "-2.5, -2",
    "126.5, 126",
    "127.4, 127",
    "127.5, 127",
    "1e30, 127",
    "-127.5, -128",
    "-128.5, -128",
    "-Infinity, -128",
    "NaN, 0"
  })
  void rounds_to_int8_half_to_even_and_clamps(float value, byte code) {
    assertThat(QuantizedType.INT8.encode(value)).isEqualTo(code);
  }

  @Test
  void has_no_infinities_as_e4m3fn() {
    for (int code = 0; code < 256; code++) {
      float value = QuantizedType.FLOAT8_E4M3FN.decode((byte) code);
      assertThat(Float.isNaN(value)).isEqualTo((code & 0x7f) == 0x7f);
      assertThat(Float.isInfinite(value)).isFalse();
    }
  }
}
