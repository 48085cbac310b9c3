package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Sums of products")
class GramTest {

  private static final float[] VECTORS = {1, 2, 3, -1, 0, 5};

  private static float[] random(int count) {
    Random random = new Random(1);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @Test
  void add_up_all_pairs_of_elements_of_each_vector() {
    Gram gram = Gram.ofProducts(3);

    gram.observe(VECTORS);

    assertThat(gram.count()).isEqualTo(2);
    assertThat(gram.row(0)).containsExactly(2, 2, -2);
    assertThat(gram.row(1)).containsExactly(4, 6);
    assertThat(gram.row(2)).containsExactly(34);
    assertThat(gram.squares()).containsExactly(2, 4, 34);
  }

  @Test
  void may_be_those_of_squares_only() {
    Gram gram = Gram.ofSquares(3);

    gram.observe(VECTORS);

    assertThat(gram.isDiagonal()).isTrue();
    assertThat(gram.squares()).containsExactly(2, 4, 34);
    assertThatIllegalStateException().isThrownBy(() -> gram.row(0));
  }

  @Test
  void do_not_depend_on_how_vectors_were_cut_and_rows_were_spread() {
    float[] vectors = random(7 * 50);
    Gram whole = Gram.ofProducts(7);
    whole.observe(vectors);
    Gram pieces = Gram.ofProducts(7);
    pieces.observe(Arrays.copyOf(vectors, 7 * 13));
    float[] rest = Arrays.copyOfRange(vectors, 7 * 13, vectors.length);
    pieces.count(rest);
    pieces.addRows(rest, 4, 7);
    pieces.addRows(rest, 0, 4);

    assertThat(pieces).isEqualTo(whole).hasSameHashCodeAs(whole);
  }

  @Test
  void can_be_merged() {
    Gram one = Gram.ofProducts(3);
    one.observe(new float[] {1, 2, 3});
    Gram other = Gram.ofProducts(3);
    other.observe(new float[] {-1, 0, 5});
    Gram both = Gram.ofProducts(3);
    both.observe(VECTORS);
    Gram squares = Gram.ofSquares(3);
    squares.observe(new float[] {-1, 0, 5});

    assertThat(one.plus(other)).isEqualTo(both);
    assertThat(one.plus(squares).isDiagonal()).isTrue();
    assertThat(one.plus(squares).squares()).containsExactly(2, 4, 34);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> one.plus(Gram.ofProducts(4)))
        .withMessageContaining("4 values, not 3");
  }

  @Test
  void can_be_kept() {
    Gram gram = Gram.ofProducts(3);
    gram.observe(VECTORS);
    Gram squares = Gram.ofSquares(3);
    squares.observe(VECTORS);

    assertThat(Gram.of(3, false, 2, gram.sums())).isEqualTo(gram);
    assertThat(Gram.of(3, true, 2, squares.sums())).isEqualTo(squares).isNotEqualTo(gram);
    assertThat(Gram.bytes(3)).isEqualTo(8L * gram.sums().length);
    assertThatIllegalArgumentException().isThrownBy(() -> Gram.of(3, true, 2, gram.sums()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Gram.of(1, true, 2, new double[] {Double.NaN}))
        .withMessageContaining("finite");
  }

  @Test
  void of_scaled_vectors_are_scaled_sums() {
    Gram gram = Gram.ofProducts(3);
    gram.observe(VECTORS);
    Gram squares = Gram.ofSquares(3);
    squares.observe(VECTORS);
    float[] factors = {0.5f, 2, 4};
    float[] scaled = new float[VECTORS.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = VECTORS[i] * factors[i % 3];
    }
    Gram expected = Gram.ofProducts(3);
    expected.observe(scaled);

    assertThat(gram.scaled(factors)).isEqualTo(expected);
    assertThat(squares.scaled(factors).squares()).containsExactly(expected.squares());
    assertThatIllegalArgumentException().isThrownBy(() -> gram.scaled(new float[2]));
  }

  @Test
  void are_of_whole_vectors() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Gram.ofProducts(3).observe(new float[4]))
        .withMessageContaining("whole vectors of 3");
    assertThatIllegalArgumentException().isThrownBy(() -> Gram.ofSquares(0));
  }

  @Test
  void are_part_of_a_tensors_statistics_where_both_parts_have_them() {
    Gram gram = Gram.ofProducts(3);
    gram.observe(VECTORS);
    TensorStatistics plain = TensorStatistics.of(new ValueRange(-1, 5));

    TensorStatistics with = plain.with(gram);

    assertThat(with.plus(with).products()).contains(gram.plus(gram));
    assertThat(with.plus(plain).products()).isEmpty();
  }
}
