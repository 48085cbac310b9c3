package dev.kvant.backend.compressedtensors.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Granularity;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A codec of rows")
class RowCodecTest {

  private static final Scheme INT8 = new Scheme(Numbers.INT8, Granularity.CHANNEL, true);
  private static final Scheme W8A16 = new Scheme(Numbers.INT8, Granularity.CHANNEL, false);
  private static final Scheme INT4 = new Scheme(Numbers.INT4, Granularity.CHANNEL, false);
  private static final Scheme UINT4 = new Scheme(Numbers.UINT4, Granularity.group(4), false);
  private static final Scheme NVFP4 = new Scheme(Numbers.NVFP4, Granularity.group(16), false);
  private static final Scheme MXFP4 = new Scheme(Numbers.MXFP4, Granularity.group(32), false);

  private static ByteBuffer source(FloatType type, float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    type.store(values, values.length, bytes, 0);
    return bytes;
  }

  private static RowCodec.Rows symmetric(Scheme scheme, int columns, float... values) {
    return new SymmetricRows(
            scheme, FloatType.FLOAT32, ScaleType.ofWeight(FloatType.FLOAT32), columns, false)
        .encode(source(FloatType.FLOAT32, values), values.length / columns);
  }

  private static float[] floats(ByteBuffer bytes) {
    var floats = new float[bytes.remaining() / Float.BYTES];
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }

  @Test
  void spans_a_row_of_int8_with_127_and_a_half_units() {
    RowCodec.Rows rows = symmetric(INT8, 3, 127.5f, -2, 0.5f, -255, 3, 1);

    assertThat(floats(rows.scales())).containsExactly(1, 2);
    // 127.5 is rounded to 128, which is clamped; 0.5 and 1.5 go to the even neighbour.
    assertThat(rows.codes().array()).containsExactly(127, -2, 0, -128, 2, 0);
  }

  @Test
  void packs_int8_into_words_as_unsigned_bytes() {
    RowCodec.Rows rows = symmetric(W8A16, 5, 127.5f, -127.5f, 0, 1, -1);

    assertThat(rows.codes().array()).containsExactly(255, 0, 128, 129, 127, 0, 0, 0);
  }

  @Test
  void packs_int4_into_words_from_the_lowest_bits_on() {
    RowCodec.Rows rows = symmetric(INT4, 9, 7.5f, -7.5f, 0, 1, 2, 3, -1, -2, -3);

    assertThat(floats(rows.scales())).containsExactly(1);
    assertThat(rows.codes().array()).containsExactly(0x0f, 0x98, 0xba, 0x67, 0x05, 0, 0, 0);
  }

  @Test
  void gives_a_row_of_zeros_the_scale_epsilon_of_its_type() {
    for (FloatType type : FloatType.values()) {
      ByteBuffer scales =
          new SymmetricRows(INT8, type, ScaleType.ofWeight(type), 4, false)
              .encode(source(type, 0, 0, 0, 0), 1)
              .scales();

      assertThat(type.get(scales.order(ByteOrder.LITTLE_ENDIAN), 0))
          .isEqualTo(
              switch (type) {
                case FLOAT32 -> 0x1p-23f;
                case FLOAT16 -> 0x1p-10f;
                case BFLOAT16 -> 0x1p-7f;
              });
    }
  }

  @Test
  void shares_a_scale_of_float8_among_the_values_of_a_block() {
    Scheme blocks = new Scheme(Numbers.FP8, Granularity.block(128, 128), true);
    var values = new float[130 * 256];
    values[127 * 256 + 128] = 448;
    values[128 * 256] = 896;
    values[0] = 448 * 4;
    values[1] = 4;

    RowCodec.Rows rows = symmetric(blocks, 256, values);

    assertThat(floats(rows.scales())).containsExactly(4, 1, 2, 0x1p-23f);
    assertThat(rows.codes().get(0)).isEqualTo((byte) 0x7e);
    assertThat(rows.codes().get(1)).isEqualTo((byte) 0x38);
    assertThat(rows.codes().get(127 * 256 + 128)).isEqualTo((byte) 0x7e);
  }

  @Test
  void adds_a_zero_point_to_the_codes_of_uint4() {
    var codec = new AffineRows(UINT4, FloatType.FLOAT32, 8, false);

    RowCodec.Rows rows = codec.encode(source(FloatType.FLOAT32, 0, 15, 5, 6, -3, 12, 0, 1), 1);

    assertThat(floats(rows.scales())).containsExactly(1, 1);
    assertThat(rows.zeroPoints().array()).containsExactly(-8, -5);
    assertThat(rows.codes().array()).containsExactly(0xf0, 0x65, 0xf0, 0x43);
    assertThat(rows.error().noise()).isZero();
  }

  @Test
  void packs_zero_points_along_the_rows() {
    byte[] zeroPoints = {-8, 7, -7, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2};

    assertThat(Packing.zeroPoints(zeroPoints, 9, 2))
        .containsExactly(0x10, 0x88, 0x88, 0x88, 0xef, 0x88, 0x88, 0x88, 9, 0, 0, 0, 10, 0, 0, 0);
  }

  @Test
  void rounds_float4_to_the_nearest_and_ties_to_even_codes() {
    float[] values = {0.25f, 0.26f, 0.75f, 1.25f, 1.26f, 1.75f, 2.5f, 2.51f, 3.5f, 5, 5.1f, -9};
    int[] codes = {0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 15};

    for (int i = 0; i < values.length; i++) {
      assertThat(Float4.code(values[i])).as("%s", values[i]).isEqualTo(codes[i]);
    }
    assertThat(Float4.code(-0f)).isZero();
    assertThat(Float4.code(-0.1f)).isEqualTo(8);
  }

  @Test
  void stores_the_exponents_of_mxfp4() {
    var values = new float[128];
    values[0] = 6;
    values[32] = 6.99f;
    values[64] = -7;
    values[65] = 3;

    RowCodec.Rows rows =
        new Float4Rows(MXFP4, FloatType.FLOAT32, Layout.COMPRESSED_TENSORS, 128, false, 1)
            .encode(source(FloatType.FLOAT32, values), 1);

    // The significand of 7 is 1.75.
    assertThat(rows.scales().array()).containsExactly(127, 127, 128, 0);
    assertThat(rows.codes().get(0)).isEqualTo((byte) 7);
    assertThat(rows.codes().get(32)).isEqualTo((byte) 0x3e);
  }

  @Test
  void divides_the_scales_of_nvfp4_by_that_of_the_weight() {
    var values = new float[32];
    values[0] = 6;
    values[1] = -1.5f;
    values[16] = 0.75f;
    float global = Float4Rows.globalScale(FloatType.FLOAT32, Layout.COMPRESSED_TENSORS, 6);

    RowCodec.Rows rows =
        new Float4Rows(NVFP4, FloatType.FLOAT32, Layout.COMPRESSED_TENSORS, 32, false, global)
            .encode(source(FloatType.FLOAT32, values), 1);

    assertThat(global).isEqualTo(448);
    // 448 and 56.
    assertThat(rows.scales().array()).containsExactly(0x7e, 0x66);
    assertThat(rows.codes().get(0)).isEqualTo((byte) 0xb7);
    assertThat(rows.codes().get(8)).isEqualTo((byte) 7);
    assertThat(rows.error().noise()).isZero();
  }

  @Test
  void computes_scales_of_nvfp4_in_float32_where_float16_overflows() {
    var random = new Random(11);
    // Of 2688 / amax, 65504 is exceeded below 0.0410.
    for (float amax : new float[] {0.041f, 0.02f, 0.001f, 0.0001f}) {
      var values = new float[64 * 128];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            FloatType.FLOAT16.round(
                (float) Math.max(-4, Math.min(4, random.nextGaussian())) * amax / 4);
      }
      float largest = FloatType.FLOAT16.round(amax);
      values[0] = largest;

      float global = Float4Rows.globalScale(FloatType.FLOAT16, Layout.COMPRESSED_TENSORS, largest);
      RowCodec.Rows rows = nvfp4(FloatType.FLOAT16, global, values);

      assertThat(global).as("%s", amax).isCloseTo(2688 / largest, within(2688 / largest * 1e-6f));
      assertThat(rows.scales().get(0)).isEqualTo((byte) 0x7e);
      assertThat(rows.error().sqnrDecibels()).as("%s", amax).isBetween(19.0, 22.0);
      assertThat(rows.codes().array())
          .isEqualTo(nvfp4(FloatType.FLOAT32, global, values).codes().array());
    }
  }

  @Test
  void computes_scales_of_nvfp4_in_float16_where_that_suffices() {
    // 1 / 0.3 is 3.334 in float16, whose product with 2688 is 8960.
    float amax = FloatType.FLOAT16.round(0.3f);

    assertThat(Float4Rows.globalScale(FloatType.FLOAT16, Layout.COMPRESSED_TENSORS, amax))
        .isEqualTo(FloatType.FLOAT16.round(FloatType.FLOAT16.round(1 / amax) * 2688))
        .isEqualTo(8960);
    assertThat(Float4Rows.globalScale(FloatType.FLOAT16, Layout.COMPRESSED_TENSORS, 0)).isFinite();
  }

  private static RowCodec.Rows nvfp4(FloatType type, float global, float... values) {
    return new Float4Rows(NVFP4, type, Layout.COMPRESSED_TENSORS, 128, false, global)
        .encode(source(type, values), values.length / 128);
  }

  @Test
  void multiplies_the_scales_of_nvfp4_in_the_layout_of_modelopt() {
    var values = new float[32];
    values[0] = 6;
    values[16] = 0.75f;
    values[17] = -0.5f;
    float global = Float4Rows.globalScale(FloatType.BFLOAT16, Layout.MODELOPT, 6);

    RowCodec.Rows rows =
        new Float4Rows(NVFP4, FloatType.BFLOAT16, Layout.MODELOPT, 32, false, global)
            .encode(source(FloatType.BFLOAT16, values), 1);

    assertThat(global).isEqualTo(6f / (448 * 6));
    assertThat(rows.scales().array()).containsExactly(0x7e, 0x66);
    assertThat(rows.codes().get(0)).isEqualTo((byte) 7);
    assertThat(rows.codes().get(8)).isEqualTo((byte) 0xe7);
  }

  @Test
  void finds_scales_with_smaller_errors_when_it_searches() {
    var random = new Random(7);
    var values = new float[4 * 128];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    ByteBuffer source = source(FloatType.FLOAT32, values);
    for (boolean isFloat : new boolean[] {false, true}) {
      double spanning = noise(source, isFloat ? NVFP4 : INT4, false);
      double searched = noise(source, isFloat ? NVFP4 : INT4, true);

      assertThat(searched).isLessThan(spanning * 0.97);
    }
    assertThat(
            new AffineRows(UINT4, FloatType.FLOAT32, 128, true).encode(source, 4).error().noise())
        .isLessThan(
            new AffineRows(UINT4, FloatType.FLOAT32, 128, false).encode(source, 4).error().noise());
  }

  private static double noise(ByteBuffer source, Scheme scheme, boolean searches) {
    RowCodec codec =
        scheme.numbers().isFloat4()
            ? new Float4Rows(
                scheme, FloatType.FLOAT32, Layout.COMPRESSED_TENSORS, 128, searches, 600)
            : new SymmetricRows(
                scheme, FloatType.FLOAT32, ScaleType.ofWeight(FloatType.FLOAT32), 128, searches);
    return codec.encode(source, 4).error().noise();
  }

  @Test
  void names_the_value_that_is_not_finite() {
    float[] values = new float[64];
    values[35] = Float.NEGATIVE_INFINITY;
    ByteBuffer source = source(FloatType.BFLOAT16, values);
    RowCodec[] codecs = {
      new SymmetricRows(INT4, FloatType.BFLOAT16, ScaleType.ofWeight(FloatType.BFLOAT16), 32, true),
      new AffineRows(UINT4, FloatType.BFLOAT16, 32, true),
      new Float4Rows(MXFP4, FloatType.BFLOAT16, Layout.COMPRESSED_TENSORS, 32, true, 1)
    };
    for (RowCodec codec : codecs) {
      assertThatThrownBy(() -> codec.encode(source, 2))
          .isInstanceOfSatisfying(
              NonFiniteValueException.class, e -> assertThat(e.index()).isEqualTo(35));
    }
  }

  @Test
  void rounds_scales_to_the_type_of_the_weight() {
    ByteBuffer scales =
        new SymmetricRows(
                INT8, FloatType.BFLOAT16, ScaleType.ofWeight(FloatType.BFLOAT16), 2, false)
            .encode(source(FloatType.BFLOAT16, 1, 0.5f), 1)
            .scales();

    assertThat(FloatType.BFLOAT16.get(scales.order(ByteOrder.LITTLE_ENDIAN), 0))
        .isEqualTo(FloatType.BFLOAT16.round(1 / 127.5f))
        .isCloseTo(1 / 127.5f, within(1e-4f));
  }
}
