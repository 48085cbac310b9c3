package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Compared with torch's casts, bit for bit,")
class TorchCastsTest {

  @ParameterizedTest
  @EnumSource(names = {"FLOAT8_E4M3FN", "FLOAT8_E5M2"})
  void every_bfloat16_value_gets_the_same_float8_code(QuantizedType type) {
    byte[] expected = Golden.read("casts-bfloat16").bytes(name(type));

    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = BFloat16.toFloat((short) bits);
      assertThat(type.encode(value)).as("code of %a", value).isEqualTo(expected[bits]);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT8_E4M3FN", "FLOAT8_E5M2"})
  void float32_values_beside_every_rounding_boundary_get_the_same_float8_code(QuantizedType type) {
    Golden golden = Golden.read("casts-float32");
    float[] values = golden.floats("float32");

    byte[] expected = golden.bytes(name(type));

    for (int i = 0; i < values.length; i++) {
      assertThat(type.encode(values[i])).as("code of %a", values[i]).isEqualTo(expected[i]);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT8_E4M3FN", "FLOAT8_E5M2"})
  void every_float8_code_has_the_same_value(QuantizedType type) {
    float[] expected = Golden.read("decode-float8").floats(name(type));

    float[] actual = new float[1 << 8];
    for (int code = 0; code < actual.length; code++) {
      actual[code] = type.decode((byte) code);
    }

    assertThat(actual).isEqualTo(expected);
  }

  @Test
  void float32_values_beside_rounding_boundaries_get_the_same_float16() {
    Golden golden = Golden.read("casts-float32");
    float[] values = golden.floats("float32");
    short[] expected = golden.shorts("float16");

    for (int i = 0; i < values.length; i++) {
      assertThat(Float16.fromFloat(values[i]))
          .as("float16 of %a", values[i])
          .isEqualTo(expected[i]);
    }
  }

  @Test
  void float32_values_beside_rounding_boundaries_get_the_same_bfloat16() {
    Golden golden = Golden.read("casts-float32");
    float[] values = golden.floats("float32");
    short[] expected = golden.shorts("bfloat16");

    for (int i = 0; i < values.length; i++) {
      // The payload of torch's NaN depends on the processor.
      if (!Float.isNaN(values[i])) {
        assertThat(BFloat16.fromFloat(values[i]))
            .as("bfloat16 of %a", values[i])
            .isEqualTo(expected[i]);
      }
    }
  }

  private static String name(QuantizedType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }
}
