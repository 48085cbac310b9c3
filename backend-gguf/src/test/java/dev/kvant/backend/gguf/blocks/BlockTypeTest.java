package dev.kvant.backend.gguf.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.numerics.QuantizationError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("A type of blocks")
class BlockTypeTest {

  /** What interop/golden/make_gguf_golden.py wrote with gguf 0.19 and llama.cpp's ggml. */
  private static final Path GOLDEN = Path.of("src/test/resources/blocks");

  private static ByteBuffer golden(String file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve(file))).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static float[] floats(String file) throws IOException {
    ByteBuffer bytes = golden(file);
    var values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static ByteBuffer encoded(BlockType type, float... values) {
    ByteBuffer blocks =
        ByteBuffer.allocate((int) type.codec().blocks().bytes(values.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    type.codec().encode(values, blocks);
    return blocks.flip();
  }

  private static float[] decoded(BlockType type, ByteBuffer blocks, int count) {
    var values = new float[count];
    type.codec().decode(blocks, values);
    return values;
  }

  private static String file(BlockType type, String extension) {
    return type.name().toLowerCase(Locale.ROOT) + extension;
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("has the bytes that llama.cpp gives the same values")
  void encodes(BlockType type) throws IOException {
    assertThat(encoded(type, floats("values.f32"))).isEqualTo(golden(file(type, ".bin")));
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("stands for the values that gguf restores from the same bytes")
  void decodes(BlockType type) throws IOException {
    float[] expected = floats(file(type, ".f32"));

    float[] restored = decoded(type, golden(file(type, ".bin")), expected.length);

    for (int i = 0; i < expected.length; i++) {
      assertThat(restored[i]).as("value %d", i).isEqualTo(expected[i] + 0f);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q8_0, 44",
    "Q4_0, 20",
    "Q4_1, 21",
    "Q5_0, 26",
    "Q5_1, 27",
    "Q4_K, 22",
    "Q6_K, 34",
  })
  @DisplayName("keeps normal values at the ratio that its bits allow")
  void isAccurate(BlockType type, double decibels) {
    var random = new Random(5);
    var values = new float[1 << 16];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }

    float[] restored = decoded(type, encoded(type, values), values.length);

    assertThat(QuantizationError.between(values, restored).sqnrDecibels())
        .isBetween(decibels, decibels + 3);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("restores zeros exactly")
  void zeros(BlockType type) {
    for (float value : decoded(type, encoded(type, new float[512]), 512)) {
      assertThat(Math.abs(value)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("encodes the smallest values as numbers that are not larger")
  void subnormal(BlockType type) {
    var values = new float[256];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i % 3 - 1) * Float.MIN_VALUE;
    }

    for (float value : decoded(type, encoded(type, values), values.length)) {
      assertThat(Math.abs(value)).isLessThan(1e-6f);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 1",
    "-0.5, -1",
    "0.49999997, 0",
    "-0.49999997, 0",
    "1.4999999, 1",
    "2.5, 3",
    "-126.5, -127",
    "126.49999, 126",
  })
  @DisplayName("rounds codes of 8 bits half away from zero")
  void halves(float value, int code) {
    var values = new float[32];
    values[0] = 127;
    values[31] = value;

    assertThat(encoded(BlockType.Q8_0, values).get(33)).isEqualTo((byte) code);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("refuses values whose scale exceeds float16")
  void tooLarge(BlockType type) {
    var values = new float[256];
    values[17] = 1e9f;

    assertThatThrownBy(() -> encoded(type, values))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("exceeds float16");
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_K, 512, Q4_K",
    "Q4_K, 288, Q5_0",
    "Q6_K, 256, Q6_K",
    "Q6_K, 64, Q8_0",
    "Q4_0, 96, Q4_0",
  })
  @DisplayName("gives way to one with smaller blocks where rows do not fall into its own")
  void fallsBack(BlockType requested, long columns, BlockType written) {
    assertThat(requested.fitting(List.of(3L, columns))).contains(written);
  }

  @Test
  @DisplayName("is none for rows that fall into no blocks")
  void fitsNone() {
    assertThat(BlockType.Q4_K.fitting(List.of(64L, 40L))).isEmpty();
    assertThat(BlockType.Q8_0.fitting(List.of(64L, 31L))).isEmpty();
  }
}
