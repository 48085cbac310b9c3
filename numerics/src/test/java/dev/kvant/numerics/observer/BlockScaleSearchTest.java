package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.numerics.BlockQuantizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Factors for weights in blocks")
class BlockScaleSearchTest {

  private static final int CHANNELS = 32;
  private static final BlockQuantizer FOUR_BITS = new BlockQuantizer(4, false);

  private final Random dice = new Random(3);

  private float[][] normal(int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) dice.nextGaussian();
      }
    }
    return values;
  }

  /** Rows whose first channel has so many times the deviation of the others. */
  private List<float[]> rows(float first) {
    List<float[]> rows = new ArrayList<>(List.of(normal(64, CHANNELS)));
    rows.forEach(row -> row[0] *= first);
    return rows;
  }

  private static double[] squares(List<float[]> rows) {
    double[] squares = new double[CHANNELS];
    rows.forEach(
        row -> {
          for (int i = 0; i < CHANNELS; i++) {
            squares[i] += (double) row[i] * row[i];
          }
        });
    return squares;
  }

  @Test
  void are_powers_of_the_root_mean_square_around_one() {
    float[] factors = BlockScaleSearch.factors(new double[] {1, 16, 0}, 0.5);

    // 1, 2 and, as the smallest, 1, by the cube root of 2.
    double mean = Math.cbrt(2);
    assertThat(factors[0]).isCloseTo((float) (1 / mean), within(1e-6f));
    assertThat(factors[1]).isCloseTo((float) (2 / mean), within(1e-6f));
    assertThat(factors[2]).isEqualTo(factors[0]);
    assertThat(BlockScaleSearch.factors(new double[] {0, 0}, 0.5)).containsExactly(1, 1);
    assertThat(BlockScaleSearch.factors(new double[] {3, 5}, 0)).containsExactly(1, 1);
  }

  @Test
  void remove_error_where_a_channel_has_more_power_than_others() {
    List<float[]> rows = rows(30);

    var best =
        BlockScaleSearch.best(rows, squares(rows), normal(CHANNELS, 16), FOUR_BITS, CHANNELS);

    assertThat(best).isPresent();
    assertThat(best.get().alpha()).isBetween(0.15, 0.9);
    assertThat(best.get().error()).isLessThan(0.9);
  }

  @Test
  void are_left_out_where_they_remove_nothing() {
    List<float[]> rows = rows(1);
    double[] equal = new double[CHANNELS];
    java.util.Arrays.fill(equal, 2);

    assertThat(BlockScaleSearch.best(rows, equal, normal(CHANNELS, 8), FOUR_BITS, 16)).isEmpty();
  }

  @Test
  void need_rows_of_the_channels() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                BlockScaleSearch.best(
                    List.of(), new double[CHANNELS], normal(CHANNELS, 2), FOUR_BITS, 16));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                BlockScaleSearch.best(rows(1), new double[3], normal(CHANNELS, 2), FOUR_BITS, 16));
  }
}
