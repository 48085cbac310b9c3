package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Rows quantized as ONNX Runtime does")
class OnnxRuntimeRowsTest {

  private static final RowQuantizer INT8 =
      RowQuantizer.onnxRuntime(FloatType.FLOAT32, QuantizedType.INT8);

  @Test
  void span_127_steps_with_int8() {
    assertThat(INT8.scale(12.7f)).isEqualTo((float) (12.7f / 127.0));
  }

  @ParameterizedTest
  @EnumSource(QuantizedType.class)
  void have_the_scale_one_if_they_are_zero(QuantizedType codes) {
    assertThat(RowQuantizer.onnxRuntime(FloatType.FLOAT32, codes).scale(0)).isEqualTo(1);
  }

  @Test
  void have_the_scale_one_below_the_smallest_normal_number() {
    assertThat(INT8.scale(Float.MIN_NORMAL)).isEqualTo(1);
  }

  @Test
  void have_no_scale_for_an_infinite_amax() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> INT8.scale(Float.POSITIVE_INFINITY))
        .withMessageContaining("amax");
  }

  static Stream<Arguments> typesAndColumns() {
    return Arrays.stream(FloatType.values())
        .flatMap(
            weights ->
                Arrays.stream(QuantizedType.values())
                    .flatMap(
                        codes ->
                            Stream.of(1, 2, 27, 4097, 16385)
                                .map(columns -> Arguments.of(weights, codes, columns))));
  }

  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void are_divided_by_the_scale_and_rounded(FloatType weights, QuantizedType codes, int columns) {
    int rows = Math.max(3, 9000 / columns);
    ByteBuffer source = Blocks.random(weights, rows * columns);
    RowQuantizer quantizer = RowQuantizer.onnxRuntime(weights, codes);
    float[] amax = new float[rows];
    quantizer.amax(source, columns, amax, 0);
    float[] scales = new float[rows];
    for (int row = 0; row < rows; row++) {
      scales[row] = quantizer.scale(amax[row]);
    }
    byte[] actual = new byte[rows * columns];

    quantizer.quantize(source, columns, scales, 0, ByteBuffer.wrap(actual));

    byte[] expected = new byte[rows * columns];
    for (int i = 0; i < expected.length; i++) {
      float scaled = weights.get(source, i) / scales[i / columns];
      float max = codes.max();
      expected[i] =
          codes.encode(
              codes == QuantizedType.INT8 ? scaled : Math.max(-max, Math.min(max, scaled)));
    }
    assertThat(actual).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void are_clamped_where_a_scale_is_too_small_for_them(int columns) {
    ByteBuffer source = Blocks.of(FloatType.FLOAT32, 1e30f, -1e30f, 300, -0.4f);
    float[] scales = new float[4 / columns];
    Arrays.fill(scales, 1);
    byte[] codes = new byte[4];

    INT8.quantize(source, columns, scales, 0, ByteBuffer.wrap(codes));

    assertThat(codes).containsExactly(127, -128, 127, 0);
  }
}
