package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Compared with torchao 0.18, bit for bit,")
class TorchaoGoldenTest {

  private static final int COLUMNS = 67;

  static Stream<Arguments> types() {
    return Arrays.stream(FloatType.values())
        .flatMap(
            weights ->
                Arrays.stream(QuantizedType.values()).map(codes -> Arguments.of(weights, codes)));
  }

  @ParameterizedTest
  @MethodSource("types")
  void scales_are_equal_except_where_torchao_finds_zero(FloatType weights, QuantizedType codes) {
    Golden golden = golden(weights);
    float[] expected = golden.floats(name(codes) + ".scales");
    float[] scales = new float[expected.length];

    quantized(golden, weights, codes, scales);

    for (int row = 0; row < scales.length; row++) {
      if (expected[row] == 0) {
        assertThat(scales[row]).as("scale of row %d", row).isPositive();
      } else {
        assertThat(scales[row]).as("scale of row %d", row).isEqualTo(expected[row]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void codes_are_equal_wherever_scales_are(FloatType weights, QuantizedType codes) {
    Golden golden = golden(weights);
    byte[] expected = golden.bytes(name(codes) + ".codes");
    float[] expectedScales = golden.floats(name(codes) + ".scales");

    byte[] actual = quantized(golden, weights, codes, new float[expectedScales.length]);

    for (int row = 0; row < expectedScales.length; row++) {
      if (expectedScales[row] != 0) {
        assertThat(row(actual, row)).as("codes of row %d", row).isEqualTo(row(expected, row));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void dequantized_weights_are_equal(FloatType weights, QuantizedType codes) {
    Golden golden = golden(weights);
    byte[] expected = golden.bytes(name(codes) + ".dequantized");
    float[] scales = golden.floats(name(codes) + ".scales");
    byte[] actual = new byte[expected.length];

    RowQuantizer.torchao(weights, codes)
        .dequantize(
            golden.buffer(name(codes) + ".codes"), COLUMNS, scales, 0, ByteBuffer.wrap(actual));

    int rowBytes = COLUMNS * weights.bytes();
    for (int row = 0; row < scales.length; row++) {
      if (scales[row] != 0) {
        assertThat(Arrays.copyOfRange(actual, row * rowBytes, (row + 1) * rowBytes))
            .as("dequantized row %d", row)
            .isEqualTo(Arrays.copyOfRange(expected, row * rowBytes, (row + 1) * rowBytes));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void a_scale_for_the_whole_tensor_gives_equal_codes(FloatType weights, QuantizedType codes) {
    Golden golden = golden(weights);
    ByteBuffer source = withoutLargeValues(golden.buffer("weights"), weights);
    byte[] actual = new byte[source.remaining() / weights.bytes()];
    float[] scale = new float[1];

    RowQuantizer.torchao(weights, codes)
        .quantizeRows(source, actual.length, scale, 0, ByteBuffer.wrap(actual));

    assertThat(scale).isEqualTo(golden.floats(name(codes) + ".tensor_scale"));
    assertThat(actual).isEqualTo(golden.bytes(name(codes) + ".tensor_codes"));
  }

  private static ByteBuffer withoutLargeValues(ByteBuffer weights, FloatType type) {
    ByteBuffer copy = Blocks.copyOf(weights);
    for (int index = 0; index < copy.remaining() / type.bytes(); index++) {
      if (Math.abs(type.get(copy, index)) > 1e4f) {
        Blocks.put(copy, type, index, 0);
      }
    }
    return copy;
  }

  private static byte[] quantized(
      Golden golden, FloatType weights, QuantizedType codes, float[] scales) {
    byte[] actual = new byte[scales.length * COLUMNS];
    RowQuantizer.torchao(weights, codes)
        .quantizeRows(golden.buffer("weights"), COLUMNS, scales, 0, ByteBuffer.wrap(actual));
    return actual;
  }

  private static byte[] row(byte[] codes, int row) {
    return Arrays.copyOfRange(codes, row * COLUMNS, (row + 1) * COLUMNS);
  }

  private static Golden golden(FloatType weights) {
    return Golden.read("torchao-" + weights.name().toLowerCase(Locale.ROOT));
  }

  private static String name(QuantizedType codes) {
    return codes.name().toLowerCase(Locale.ROOT);
  }
}
