package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.ByteBuffer;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

@Label("Whatever the row,")
class RowQuantizerPropertyTest {

  @Provide
  Arbitrary<float[]> rows() {
    Arbitrary<Float> bits = Arbitraries.integers().map(Float::intBitsToFloat);
    Arbitrary<Float> ordinary = Arbitraries.integers().map(i -> i * 0x1p-29f);
    Arbitrary<Float> tiny = ordinary.map(value -> value * 0x1p-126f);
    Arbitrary<Float> special =
        Arbitraries.of(0f, -0f, Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE, 127.5f, 448f);
    return Arbitraries.oneOf(bits, ordinary, tiny, special)
        .filter(Float::isFinite)
        .array(float[].class)
        .ofMinSize(1)
        .ofMaxSize(40);
  }

  @Property(seed = "1")
  void the_scale_is_positive_and_finite(
      @ForAll("rows") float[] row, @ForAll FloatType weights, @ForAll QuantizedType codes) {
    Quantized quantized = Quantized.of(row, weights, codes);

    assertThat(quantized.scale).isPositive().isFinite();
  }

  @Property(seed = "2")
  void codes_have_finite_values_of_the_sign_of_the_weight(
      @ForAll("rows") float[] row, @ForAll FloatType weights, @ForAll QuantizedType codes) {
    Quantized quantized = Quantized.of(row, weights, codes);

    for (int i = 0; i < row.length; i++) {
      float value = codes.decode(quantized.codes[i]);
      assertThat(value).isFinite();
      assertThat(value * Math.signum(quantized.weight(i))).isGreaterThanOrEqualTo(-0f);
    }
  }

  @Property(seed = "3")
  void larger_weights_have_codes_of_larger_or_equal_value(
      @ForAll("rows") float[] row, @ForAll FloatType weights, @ForAll QuantizedType codes) {
    float[] sorted = row.clone();
    Arrays.sort(sorted);
    Quantized quantized = Quantized.of(sorted, weights, codes);

    for (int i = 1; i < row.length; i++) {
      assertThat(codes.decode(quantized.codes[i]))
          .isGreaterThanOrEqualTo(codes.decode(quantized.codes[i - 1]));
    }
  }

  @Property(seed = "4")
  void an_int8_value_is_at_most_half_a_scale_away(@ForAll("rows") float[] row) {
    Quantized quantized = Quantized.of(row, FloatType.FLOAT32, QuantizedType.INT8);

    for (int i = 0; i < row.length; i++) {
      double restored = (double) quantized.codes[i] * quantized.scale;
      assertThat(Math.abs(row[i] - restored)).isLessThanOrEqualTo(0.50001 * quantized.scale);
    }
  }

  @Property(seed = "5")
  void a_float8_value_is_at_most_half_a_unit_in_the_last_place_away(
      @ForAll("rows") float[] row, @ForAll boolean e5m2) {
    QuantizedType codes = e5m2 ? QuantizedType.FLOAT8_E5M2 : QuantizedType.FLOAT8_E4M3FN;
    double relative = e5m2 ? 0x1p-3 : 0x1p-4;
    double smallest = codes.decode((byte) 1);
    Quantized quantized = Quantized.of(row, FloatType.FLOAT32, codes);

    for (int i = 0; i < row.length; i++) {
      double scaled = (double) row[i] / quantized.scale;
      double allowed = Math.max(Math.abs(scaled) * relative, smallest / 2) * 1.00001;
      assertThat(Math.abs(scaled - codes.decode(quantized.codes[i]))).isLessThanOrEqualTo(allowed);
    }
  }

  @Property(seed = "6")
  void restored_weights_get_the_same_codes_with_the_same_scale(
      @ForAll("rows") float[] row, @ForAll QuantizedType codes) {
    Quantized quantized = Quantized.of(row, FloatType.FLOAT32, codes);
    RowQuantizer quantizer = RowQuantizer.torchao(FloatType.FLOAT32, codes);
    float[] scales = {quantized.scale};
    ByteBuffer restored = ByteBuffer.allocate(row.length * Float.BYTES);
    byte[] again = new byte[row.length];

    quantizer.dequantize(ByteBuffer.wrap(quantized.codes), row.length, scales, 0, restored);
    quantizer.quantize(restored, row.length, scales, 0, ByteBuffer.wrap(again));

    assertThat(again).isEqualTo(quantized.codes);
  }

  @Property(seed = "7")
  void negated_float8_weights_have_codes_of_the_other_sign(
      @ForAll("rows") float[] row, @ForAll FloatType weights, @ForAll boolean e5m2) {
    QuantizedType codes = e5m2 ? QuantizedType.FLOAT8_E5M2 : QuantizedType.FLOAT8_E4M3FN;
    float[] negated = new float[row.length];
    byte[] expected = Quantized.of(row, weights, codes).codes;
    for (int i = 0; i < row.length; i++) {
      negated[i] = -row[i];
      expected[i] ^= (byte) 0x80;
    }

    assertThat(Quantized.of(negated, weights, codes).codes).isEqualTo(expected);
  }

  @Property(seed = "8")
  void a_weight_that_is_not_finite_is_found(
      @ForAll("rows") float[] row,
      @ForAll FloatType weights,
      @ForAll QuantizedType codes,
      @ForAll @IntRange(max = 39) int place,
      @ForAll boolean nan) {
    int column = place % row.length;
    float[] broken = row.clone();
    broken[column] = nan ? Float.NaN : Float.NEGATIVE_INFINITY;

    NonFiniteValueException thrown =
        catchThrowableOfType(
            NonFiniteValueException.class, () -> Quantized.of(broken, weights, codes));

    assertThat(thrown.index()).isEqualTo(column);
  }

  /** A row, its scale and its codes. */
  private static final class Quantized {

    private final FloatType type;
    private final ByteBuffer weights;
    private final float scale;
    private final byte[] codes;

    private Quantized(FloatType type, ByteBuffer weights, float scale, byte[] codes) {
      this.type = type;
      this.weights = weights;
      this.scale = scale;
      this.codes = codes;
    }

    /** Quantizes a row after clamping its finite values to the range of the type. */
    static Quantized of(float[] row, FloatType type, QuantizedType codes) {
      float max = type == FloatType.FLOAT16 ? 65504 : 0x1.fep127f;
      float[] representable = new float[row.length];
      for (int i = 0; i < row.length; i++) {
        representable[i] =
            Float.isFinite(row[i]) && type != FloatType.FLOAT32
                ? Math.max(-max, Math.min(max, row[i]))
                : row[i];
      }
      ByteBuffer weights = Blocks.of(type, representable);
      float[] scales = new float[1];
      byte[] bytes = new byte[row.length];
      RowQuantizer.torchao(type, codes)
          .quantizeRows(weights, row.length, scales, 0, ByteBuffer.wrap(bytes));
      return new Quantized(type, weights, scales[0], bytes);
    }

    float weight(int column) {
      return type.get(weights, column);
    }
  }
}
