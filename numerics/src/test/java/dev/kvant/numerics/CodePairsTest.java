package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CodePairsTest {

  private static byte code(float weight, float scale) {
    return (byte) Math.max(-128, Math.min(127, Math.rint(weight / scale)));
  }

  @ParameterizedTest
  @CsvSource({
    "127,1,false",
    "127,2,true",
    "64,64,false",
    "65,64,true",
    "-128,0,false",
    "-128,-1,true",
    "-64,-64,false",
    "-64,-65,true",
    "127,-128,false",
    "0,-128,false"
  })
  void codes_of_one_sign_overflow_beyond_128(byte one, byte other, boolean overflow) {
    assertThat(CodePairs.overflow(one, other)).isEqualTo(overflow);
    assertThat(CodePairs.overflow(other, one)).isEqualTo(overflow);
    int sum = 255 * one + 255 * other;
    assertThat(sum > Short.MAX_VALUE || sum < -32767).isEqualTo(overflow);
  }

  @Test
  void the_scale_is_raised_only_where_codes_overflow_and_then_suffices() {
    var random = new Random(1);
    int raised = 0;
    for (int i = 0; i < 100_000; i++) {
      float one = (float) random.nextGaussian();
      float other = (float) random.nextGaussian();
      float scale = (random.nextFloat() + 0.2f) / 64;

      float enough = CodePairs.scale(one, other, scale);

      if (CodePairs.overflow(code(one, scale), code(other, scale))) {
        assertThat(enough).isGreaterThan(scale);
        raised++;
      } else {
        assertThat(enough).isEqualTo(scale);
      }
      assertThat(CodePairs.overflow(code(one, enough), code(other, enough))).isFalse();
    }
    assertThat(raised).isBetween(1_000, 90_000);
  }

  @Test
  void no_smaller_scale_of_unclipped_codes_would_do() {
    float enough = CodePairs.scale(1, 0.9f, 1 / 127f);

    assertThat(CodePairs.overflow(code(1, enough * 0.98f), code(0.9f, enough * 0.98f))).isTrue();
  }
}
