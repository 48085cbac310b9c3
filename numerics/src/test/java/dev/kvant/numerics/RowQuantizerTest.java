package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A row quantizer")
class RowQuantizerTest {

  private static final RowQuantizer INT8 =
      RowQuantizer.torchao(FloatType.FLOAT32, QuantizedType.INT8);
  private static final RowQuantizer E4M3FN =
      RowQuantizer.torchao(FloatType.FLOAT32, QuantizedType.FLOAT8_E4M3FN);

  static Stream<Arguments> typesAndColumns() {
    return Arrays.stream(FloatType.values())
        .flatMap(
            weights ->
                Arrays.stream(QuantizedType.values())
                    .flatMap(
                        codes ->
                            Stream.of(1, 2, 27, 4095, 4096, 4097, 16384, 16385, 25001)
                                .map(columns -> Arguments.of(weights, codes, columns))));
  }

  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void computes_the_formula_for_rows_of_any_length(
      FloatType weights, QuantizedType codes, int columns) {
    int rows = Math.max(3, 9000 / columns);
    ByteBuffer source = Blocks.random(weights, rows * columns);
    RowQuantizer quantizer = RowQuantizer.torchao(weights, codes);
    float[] scales = new float[rows];
    byte[] actual = new byte[rows * columns];

    quantizer.quantizeRows(source, columns, scales, 0, ByteBuffer.wrap(actual));

    for (int row = 0; row < rows; row++) {
      float amax = 0;
      for (int i = row * columns; i < (row + 1) * columns; i++) {
        amax = Math.max(amax, Math.abs(weights.get(source, i)));
      }
      float scale = quantizer.scale(amax);
      assertThat(scales[row]).isEqualTo(scale);
      for (int i = row * columns; i < (row + 1) * columns; i++) {
        assertThat(actual[i]).isEqualTo(formula(codes, weights.get(source, i), scale));
      }
    }
  }

  private static byte formula(QuantizedType codes, float value, float scale) {
    if (codes == QuantizedType.INT8) {
      return codes.encode(value * (1 / scale));
    }
    return codes.encode(Math.max(-codes.max(), Math.min(codes.max(), value / scale)));
  }

  @Test
  void continues_a_matrix_block_by_block() {
    ByteBuffer source = Blocks.random(FloatType.FLOAT32, 10 * 50);
    float[] scales = new float[10];
    byte[] codes = new byte[10 * 50];
    INT8.quantizeRows(source, 50, scales, 0, ByteBuffer.wrap(codes));
    float[] blockScales = new float[10];
    byte[] blockCodes = new byte[10 * 50];
    ByteBuffer target = ByteBuffer.wrap(blockCodes);

    for (int row = 0; row < 10; row += 4) {
      int end = Math.min(10, row + 4);
      source.position(row * 50 * Float.BYTES).limit(end * 50 * Float.BYTES);
      INT8.quantizeRows(source, 50, blockScales, row, target.position(row * 50));
    }

    assertThat(blockScales).isEqualTo(scales);
    assertThat(blockCodes).isEqualTo(codes);
  }

  @Test
  void takes_buffers_off_the_heap_unaligned_read_only_and_of_either_order() {
    ByteBuffer source = Blocks.random(FloatType.FLOAT32, 3 * 40);
    byte[] expected = codes(INT8, source, 40);

    ByteBuffer unaligned = ByteBuffer.allocateDirect(1 + source.remaining()).position(1);
    unaligned.put(source.duplicate()).position(1);
    assertThat(codes(INT8, unaligned, 40)).isEqualTo(expected);

    ByteBuffer offset = ByteBuffer.allocate(3 + source.remaining()).position(3);
    offset.put(source.duplicate()).position(3);
    assertThat(codes(INT8, offset, 40)).isEqualTo(expected);

    ByteBuffer readOnly = source.asReadOnlyBuffer().order(ByteOrder.BIG_ENDIAN);
    assertThat(codes(INT8, readOnly, 40)).isEqualTo(expected);
  }

  @Test
  void leaves_positions_and_limits_as_they_are() {
    ByteBuffer source = Blocks.random(FloatType.FLOAT32, 30).position(8 * Float.BYTES);
    ByteBuffer target = ByteBuffer.allocate(40).position(5);

    INT8.quantizeRows(source, 11, new float[2], 0, target);

    assertThat(source.position()).isEqualTo(8 * Float.BYTES);
    assertThat(source.limit()).isEqualTo(30 * Float.BYTES);
    assertThat(target.position()).isEqualTo(5);
    assertThat(target.limit()).isEqualTo(40);
  }

  @Test
  void writes_only_the_codes_of_its_rows() {
    ByteBuffer target = ByteBuffer.allocate(6).put(0, (byte) 99).put(5, (byte) 99);

    INT8.quantizeRows(
        Blocks.of(FloatType.FLOAT32, 1, 2, 3, 4), 2, new float[2], 0, target.position(1));

    assertThat(target.array()).isEqualTo(new byte[] {99, 64, 127, 96, 127, 99});
  }

  @Test
  void accepts_a_block_without_rows() {
    float[] scales = {7};

    INT8.quantizeRows(ByteBuffer.allocate(0), 3, scales, 1, ByteBuffer.allocate(0));

    assertThat(scales).containsExactly(7);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT8_E4M3FN", "FLOAT8_E5M2"})
  void gives_an_all_zero_row_scale_1_and_zeros_in_float8(QuantizedType type) {
    float[] scales = new float[1];
    ByteBuffer target = ByteBuffer.allocate(3);

    RowQuantizer.torchao(FloatType.FLOAT16, type)
        .quantizeRows(Blocks.of(FloatType.FLOAT16, 0, 0, 0), 3, scales, 0, target);

    assertThat(scales).containsExactly(1);
    assertThat(target.array()).containsOnly(0);
  }

  @Test
  void gives_an_all_zero_row_the_smallest_scale_and_zeros_in_int8() {
    assertThat(INT8.scale(0)).isEqualTo(0x1p-23f);
    assertThat(codes(INT8, Blocks.of(FloatType.FLOAT32, 0, -0f), 2)).containsOnly(0);
  }

  @Test
  void divides_in_float32_where_the_scale_would_vanish_in_the_type_of_the_weights() {
    RowQuantizer quantizer = RowQuantizer.torchao(FloatType.FLOAT16, QuantizedType.FLOAT8_E5M2);
    float amax = 0x1p-10f;
    ByteBuffer source = Blocks.of(FloatType.FLOAT16, amax, 0, -amax / 2);
    float[] scales = new float[1];
    ByteBuffer target = ByteBuffer.allocate(3);
    ByteBuffer restored = Blocks.of(FloatType.FLOAT16, 9, 9, 9);

    quantizer.quantizeRows(source, 3, scales, 0, target);
    quantizer.dequantize(target, 3, scales, 0, restored);

    assertThat(scales).containsExactly(amax / 57344);
    assertThat(restored).isEqualTo(source);
  }

  @Test
  void restores_the_smallest_float32_row() {
    ByteBuffer source = Blocks.of(FloatType.FLOAT32, Float.MIN_VALUE, 0, -3 * Float.MIN_VALUE);
    float[] scales = new float[1];
    ByteBuffer target = ByteBuffer.allocate(3);
    ByteBuffer restored = Blocks.of(FloatType.FLOAT32, 9, 9, 9);

    E4M3FN.quantizeRows(source, 3, scales, 0, target);
    E4M3FN.dequantize(target, 3, scales, 0, restored);

    assertThat(scales).containsExactly(Float.MIN_VALUE);
    assertThat(restored).isEqualTo(source);
  }

  @Test
  void saturates_values_beyond_a_given_scale() {
    ByteBuffer source = Blocks.of(FloatType.FLOAT32, 1e30f, -1e30f, 200, -128.5f, 0.5f);
    ByteBuffer target = ByteBuffer.allocate(5);

    INT8.quantize(source, 5, new float[] {1}, 0, target);
    assertThat(target.array()).containsExactly(127, -128, 127, -128, 0);

    E4M3FN.quantize(source, 5, new float[] {0.25f}, 0, target);
    assertThat(target.array()).containsExactly(0x7e, 0xfe, 0x7e, 0xfe, 0x40);
  }

  @Test
  void serves_the_second_axis_slice_by_slice() {
    // Shape [2, 3, 2], channels on axis 1.
    float[] values = {1, 2, 30, 40, 500, 600, -3, 1, -10, 20, 700, -800};
    float[] amax = new float[3];
    byte[] codes = new byte[12];
    ByteBuffer source = Blocks.of(FloatType.FLOAT32, values);

    for (int slice = 0; slice < 2; slice++) {
      INT8.amax(source.position(slice * 24).limit(slice * 24 + 24), 2, amax, 0);
      source.clear();
    }
    float[] scales = new float[3];
    for (int channel = 0; channel < 3; channel++) {
      scales[channel] = INT8.scale(amax[channel]);
    }
    for (int slice = 0; slice < 2; slice++) {
      ByteBuffer part = source.slice(slice * 24, 24);
      INT8.quantize(part, 2, scales, 0, ByteBuffer.wrap(codes, slice * 6, 6));
    }

    assertThat(amax).containsExactly(3, 40, 800);
    byte[] transposed =
        codes(
            INT8,
            Blocks.of(FloatType.FLOAT32, 1, 2, -3, 1, 30, 40, -10, 20, 500, 600, 700, -800),
            4);
    assertThat(codes)
        .containsExactly(
            transposed[0],
            transposed[1],
            transposed[4],
            transposed[5],
            transposed[8],
            transposed[9],
            transposed[2],
            transposed[3],
            transposed[6],
            transposed[7],
            transposed[10],
            transposed[11]);
  }

  @ParameterizedTest
  @EnumSource
  void dequantizes_to_the_type_of_the_weights(FloatType weights) {
    RowQuantizer quantizer = RowQuantizer.torchao(weights, QuantizedType.INT8);
    ByteBuffer codes = ByteBuffer.wrap(new byte[] {1, -128, 127, 3});
    ByteBuffer target = ByteBuffer.allocate(4 * weights.bytes());

    quantizer.dequantize(codes, 2, new float[] {0, 0.5f, 0.1f}, 1, target);

    assertThat(target)
        .isEqualTo(Blocks.of(weights, 0.5f, -64, 127 * 0.1f, 3 * 0.1f).order(target.order()));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5000, 20000})
  void measures_the_error_of_the_dequantized_weights(int columns) {
    ByteBuffer source = Blocks.random(FloatType.FLOAT32, 2 * columns);
    float[] scales = {0.5f, 0.03f};
    ByteBuffer codes = ByteBuffer.allocate(2 * columns);
    INT8.quantize(source, columns, scales, 0, codes);
    double signal = 0;
    double quantizedSignal = 0;
    double noise = 0;
    for (int i = 0; i < 2 * columns; i++) {
      double value = FloatType.FLOAT32.get(source, i);
      double restored = codes.get(i) * scales[i / columns];
      signal += value * value;
      quantizedSignal += restored * restored;
      noise += (value - restored) * (value - restored);
    }

    QuantizationError error = INT8.error(source, columns, scales, 0, codes);

    assertThat(error.signal()).isCloseTo(signal, within(1e-9 * signal));
    assertThat(error.quantizedSignal()).isCloseTo(quantizedSignal, within(1e-9 * quantizedSignal));
    assertThat(error.noise()).isCloseTo(noise, within(1e-9 * noise));
  }

  @ParameterizedTest
  @EnumSource
  void names_row_and_column_of_a_weight_that_is_not_finite(FloatType weights) {
    RowQuantizer quantizer = RowQuantizer.torchao(weights, QuantizedType.FLOAT8_E4M3FN);
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      ByteBuffer source = Blocks.of(weights, 1, 2, 3, 4, value, Float.NaN);

      NonFiniteValueException thrown =
          catchThrowableOfType(
              NonFiniteValueException.class,
              () -> quantizer.quantizeRows(source, 3, new float[9], 7, ByteBuffer.allocate(6)));

      assertThat(thrown.index()).isEqualTo(4);
      assertThat(thrown.value()).isEqualTo(Float.valueOf(value));
      assertThat(thrown).hasMessage("Element 4 is " + value + ", not finite");
    }
  }

  @Test
  void names_a_weight_that_is_not_finite_in_a_row_longer_than_a_tile() {
    ByteBuffer source = Blocks.random(FloatType.BFLOAT16, 3 * 20001);
    Blocks.put(source, FloatType.BFLOAT16, 20001 + 19999, Float.NaN);
    RowQuantizer quantizer = RowQuantizer.torchao(FloatType.BFLOAT16, QuantizedType.INT8);

    NonFiniteValueException thrown =
        catchThrowableOfType(NonFiniteValueException.class, () -> codes(quantizer, source, 20001));

    assertThat(thrown.index()).isEqualTo(20001 + 19999);
  }

  @Test
  void rejects_weights_that_are_not_finite_with_given_scales_and_when_only_looking() {
    ByteBuffer source = Blocks.of(FloatType.FLOAT32, 1, Float.NaN);

    assertThatThrownBy(() -> INT8.quantize(source, 2, new float[] {1}, 0, ByteBuffer.allocate(2)))
        .isInstanceOf(NonFiniteValueException.class);
    assertThatThrownBy(() -> INT8.amax(source, 2, new float[1], 0))
        .isInstanceOf(NonFiniteValueException.class);
  }

  @Test
  void rejects_rows_without_columns() {
    assertThatThrownBy(() -> codes(INT8, ByteBuffer.allocate(8), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("columns must be at least 1, was 0");
  }

  @Test
  void rejects_a_source_that_ends_within_a_row() {
    assertThatThrownBy(
            () ->
                INT8.quantizeRows(
                    ByteBuffer.allocate(20), 3, new float[2], 0, ByteBuffer.allocate(6)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("source must hold whole rows of 12 bytes (3 columns of 4), but has 20 bytes");
  }

  @Test
  void rejects_scales_that_do_not_reach_over_the_rows() {
    assertThatThrownBy(
            () ->
                INT8.quantizeRows(
                    ByteBuffer.allocate(24), 3, new float[3], 2, ByteBuffer.allocate(6)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("scales must reach over the rows from 2 to before 4, but has 3 entries");
    assertThatThrownBy(() -> INT8.amax(ByteBuffer.allocate(24), 3, new float[3], -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("amax must reach over the rows from -1 to before 1, but has 3 entries");
  }

  @Test
  void rejects_a_target_that_is_too_small() {
    assertThatThrownBy(
            () ->
                INT8.quantizeRows(
                    ByteBuffer.allocate(24), 3, new float[2], 0, ByteBuffer.allocate(5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("target must have room for 6 bytes, but has 5");
  }

  @Test
  void rejects_codes_that_do_not_belong_to_the_weights() {
    assertThatThrownBy(
            () -> INT8.error(ByteBuffer.allocate(24), 3, new float[2], 0, ByteBuffer.allocate(7)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("quantized must have one byte for each of 6 weights, but has 7");
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -1, Float.NaN, Float.POSITIVE_INFINITY})
  void rejects_a_scale_that_is_not_positive_and_finite(float scale) {
    assertThatThrownBy(
            () ->
                INT8.quantize(
                    ByteBuffer.allocate(8), 1, new float[] {1, scale}, 0, ByteBuffer.allocate(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The scale of row 1 must be positive and finite, was " + scale);
  }

  @Test
  void rejects_an_int8_scale_without_a_finite_reciprocal() {
    assertThatThrownBy(
            () ->
                INT8.quantize(
                    ByteBuffer.allocate(4), 1, new float[] {0x1p-128f}, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The int8 scale of row 0 must have a finite reciprocal, was 2.938736E-39");
  }

  @ParameterizedTest
  @ValueSource(floats = {-1, Float.NaN, Float.POSITIVE_INFINITY})
  void rejects_an_amax_that_is_negative_or_not_finite(float amax) {
    assertThatThrownBy(() -> E4M3FN.scale(amax))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("amax must be finite and not negative, was " + amax);
  }

  private static byte[] codes(RowQuantizer quantizer, ByteBuffer source, int columns) {
    int count = source.remaining() / quantizer.weights().bytes();
    byte[] codes = new byte[count];
    quantizer.quantizeRows(source, columns, new float[count], 0, ByteBuffer.wrap(codes));
    return codes;
  }
}
