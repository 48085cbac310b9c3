package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A bfloat16")
class BFloat16Test {

  private static final int INFINITY = 0x7f80;

  @Test
  void is_the_upper_half_of_a_float32() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = BFloat16.toFloat((short) bits);
      assertThat(Float.floatToRawIntBits(value)).isEqualTo(bits << 16);
    }
  }

  @Test
  void survives_the_way_to_float32_and_back_with_all_bits() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      if ((bits & 0x7fff) <= INFINITY) {
        assertThat(BFloat16.fromFloat(BFloat16.toFloat((short) bits))).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void that_is_NaN_stays_NaN_with_its_sign() {
    for (int payload : new int[] {1, 0x8000, 0x3fffff, 0x7fffff}) {
      for (int sign : new int[] {0, 0x80000000}) {
        int back = BFloat16.fromFloat(Float.intBitsToFloat(sign | 0x7f800000 | payload));
        assertThat(back & 0x7fff).isGreaterThan(INFINITY);
        assertThat(back & 0x8000).isEqualTo(sign >>> 16);
      }
    }
  }

  @Test
  void is_the_even_neighbour_of_a_value_halfway_between_two() {
    for (int bits = 0; bits < INFINITY; bits++) {
      float middle = Float.intBitsToFloat((bits << 16) | 0x8000);
      int even = bits + (bits & 1);
      assertThat(BFloat16.fromFloat(middle)).isEqualTo((short) even);
      assertThat(BFloat16.fromFloat(-middle)).isEqualTo((short) (even | 0x8000));
    }
  }

  @Test
  void is_the_nearer_neighbour_of_any_other_value() {
    for (int bits = 0; bits < INFINITY; bits++) {
      float middle = Float.intBitsToFloat((bits << 16) | 0x8000);
      assertThat(BFloat16.fromFloat(Math.nextDown(middle))).isEqualTo((short) bits);
      assertThat(BFloat16.fromFloat(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
    }
  }
}
