package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Texts read by CTC")
class TextArithmeticTest {

  @ParameterizedTest
  @CsvSource({
    "'', '', 0",
    "kitten, sitting, 3",
    "sitting, kitten, 3",
    "'', abc, 3",
    "abc, '', 3",
    "flaw, lawn, 2",
    "abc, abc, 0",
    "abc, acb, 2"
  })
  void differ_by_the_least_number_of_edits(String one, String other, int distance) {
    assertThat(EditDistance.between(one.chars().toArray(), other.chars().toArray()))
        .isEqualTo(distance);
  }

  /** Outputs of steps whose largest value is at those positions of an alphabet of four. */
  private static float[] steps(int... positions) {
    float[] outputs = new float[4 * positions.length];
    for (int step = 0; step < positions.length; step++) {
      outputs[4 * step + positions[step]] = 1;
    }
    return outputs;
  }

  private static int[] decode(int... positions) {
    return CtcDecoder.decode(steps(positions), 0, positions.length, 4, 4);
  }

  @Test
  void have_equal_neighbours_once_and_no_blanks() {
    assertThat(decode(0, 1, 1, 0, 2, 2, 2, 0, 0)).containsExactly(1, 2);
  }

  @Test
  void have_a_character_twice_where_a_blank_is_between() {
    assertThat(decode(1, 0, 1, 3, 3)).containsExactly(1, 1, 3);
  }

  @Test
  void are_empty_where_all_is_blank() {
    assertThat(decode(0, 0, 0)).isEmpty();
  }

  @Test
  void are_read_from_steps_that_lie_apart() {
    float[] two = new float[16];
    // Steps of two samples in turn: the second reads 3, 2.
    two[4 + 3] = 1;
    two[8] = 1;
    two[12 + 2] = 1;

    assertThat(CtcDecoder.decode(two, 4, 2, 8, 4)).containsExactly(3, 2);
  }
}
