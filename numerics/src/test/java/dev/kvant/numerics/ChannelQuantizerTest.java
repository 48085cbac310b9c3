package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Label("A channel quantizer")
class ChannelQuantizerTest {

  private static final RowQuantizer INT8 =
      RowQuantizer.onnxRuntime(FloatType.FLOAT32, QuantizedType.INT8);

  @Test
  void channels_of_the_last_axis_take_turns() {
    float[] amax = new float[2];

    int8(2, 1).amax(floats(1, -2, 3, -4), 0, amax);

    assertThat(amax).containsExactly(3, 4);
  }

  @Test
  void channels_of_the_first_axis_follow_each_other() {
    float[] amax = new float[2];

    int8(2, 2).amax(floats(1, -2, 3, -4), 0, amax);

    assertThat(amax).containsExactly(2, 4);
  }

  @Test
  void values_are_rounded_half_to_even() {
    ByteBuffer codes = ByteBuffer.allocate(4);

    int8(1, 4).quantize(floats(0.5f, 1.5f, -0.5f, -2.5f), 0, new float[] {1}, codes);

    assertThat(codes.array()).containsExactly(0, 2, 0, -2);
  }

  @ParameterizedTest
  @CsvSource({"INT8, 5000", "INT8, 7", "FLOAT8_E4M3FN, 5000", "FLOAT8_E5M2, 384"})
  void channels_of_the_last_axis_are_quantized_as_rows_are(QuantizedType codes, int channels) {
    int slices = 9000 / channels + 2;
    RowQuantizer rows = RowQuantizer.onnxRuntime(FloatType.FLOAT32, codes);
    ByteBuffer columns = Blocks.random(FloatType.FLOAT32, slices * channels);
    ByteBuffer transposed = ByteBuffer.allocate(columns.capacity()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < slices * channels; i++) {
      int index = i % channels * slices + i / channels;
      transposed.putFloat(index * Float.BYTES, columns.getFloat(i * Float.BYTES));
    }
    float[] scales = new float[channels];
    byte[] expected = new byte[slices * channels];
    rows.quantizeRows(transposed, slices, scales, 0, ByteBuffer.wrap(expected));
    byte[] actual = new byte[slices * channels];
    ChannelQuantizer quantizer = new ChannelQuantizer(rows, channels, 1);

    float[] amax = new float[channels];
    quantizer.amax(columns, 0, amax);
    QuantizationError error = quantizer.quantize(columns, 0, scales, ByteBuffer.wrap(actual));

    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).isEqualTo(expected[i % channels * slices + i / channels]);
      assertThat(scales[i % channels]).isEqualTo(rows.scale(amax[i % channels]));
    }
    assertThat(error.noise())
        .isCloseTo(
            rows.error(transposed, slices, scales, 0, ByteBuffer.wrap(expected)).noise(),
            Percentage.withPercentage(1e-6));
  }

  @Test
  void the_first_value_that_is_not_finite_is_named() {
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(() -> int8(2, 1).amax(floats(1, 2, Float.NaN, 4), 10, new float[2]))
        .satisfies(e -> assertThat(e.index()).isEqualTo(12))
        .satisfies(e -> assertThat(e.value()).isNaN());
  }

  @Property(tries = 200, seed = "42")
  void int8_loses_at_most_half_a_step(
      @ForAll @Size(min = 1, max = 50) float @FloatRange(min = -1e6f, max = 1e6f) [] values) {
    float[] amax = new float[1];
    ChannelQuantizer quantizer = int8(1, values.length);
    quantizer.amax(floats(values), 0, amax);
    float scale = INT8.scale(amax[0]);
    ByteBuffer codes = ByteBuffer.allocate(values.length);

    quantizer.quantize(floats(values), 0, new float[] {scale}, codes);

    for (int i = 0; i < values.length; i++) {
      assertThat((double) codes.get(i) * scale - values[i])
          .isBetween(-0.5001 * scale, 0.5001 * scale);
    }
  }

  @Property(tries = 200, seed = "42")
  void the_result_does_not_depend_on_how_the_tensor_is_cut_into_blocks(
      @ForAll @Size(24) float @FloatRange(min = -1, max = 1) [] values,
      @ForAll @IntRange(min = 1, max = 23) int cut,
      @ForAll @IntRange(min = 1, max = 4) int inner) {
    ChannelQuantizer quantizer = int8(3, inner);
    float[] whole = new float[3];
    quantizer.amax(floats(values), 0, whole);
    float[] pieces = new float[3];
    quantizer.amax(floats(Arrays.copyOf(values, cut)), 0, pieces);
    quantizer.amax(floats(Arrays.copyOfRange(values, cut, 24)), cut, pieces);

    assertThat(pieces).isEqualTo(whole);

    float[] scales = {INT8.scale(whole[0]), INT8.scale(whole[1]), INT8.scale(whole[2])};
    ByteBuffer wholeCodes = ByteBuffer.allocate(24);
    quantizer.quantize(floats(values), 0, scales, wholeCodes);
    ByteBuffer pieceCodes = ByteBuffer.allocate(24);
    quantizer.quantize(floats(Arrays.copyOf(values, cut)), 0, scales, pieceCodes);
    pieceCodes.position(cut);
    quantizer.quantize(floats(Arrays.copyOfRange(values, cut, 24)), cut, scales, pieceCodes);

    assertThat(pieceCodes.array()).isEqualTo(wholeCodes.array());
  }

  private static ChannelQuantizer int8(int channels, long inner) {
    return new ChannelQuantizer(INT8, channels, inner);
  }

  private static ByteBuffer floats(float... values) {
    ByteBuffer buffer =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(values);
    return buffer;
  }
}
