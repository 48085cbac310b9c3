package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The similarity of retrieval")
class RetrievalSimilarityTest {

  private static List<double[]> texts(double... lengths) {
    return DoubleStream.of(lengths).mapToObj(length -> new double[] {length}).toList();
  }

  /** Text 0 finds 1, 2, 3; text 1 finds 0, 2, 3; text 2 finds 0, 1, 3; text 3 finds 0, 1, 2. */
  private static final List<double[]> REFERENCE = texts(1, 0.9, 0.5, 0.1);

  /** Text 0 finds 2, 1, 3; text 1 finds 0, 2, 3; text 2 finds 0, 1, 3; text 3 finds 0, 2, 1. */
  private static final List<double[]> MODEL = texts(1, 0.4, 0.5, 0.1);

  @Test
  void counts_what_both_find_first() {
    assertThat(RetrievalSimilarity.of(REFERENCE, MODEL, 1).recall()).isEqualTo(3 / 4.0);
    assertThat(RetrievalSimilarity.of(REFERENCE, MODEL, 2).recall())
        .isEqualTo((1 + 1 + 1 + 0.5) / 4);
    assertThat(RetrievalSimilarity.of(REFERENCE, MODEL, 3).recall()).isEqualTo(1);
  }

  @Test
  void weighs_by_position() {
    // 2 and 1 are the worths, 1 and 0.63093 the discounts of the two positions.
    double ideal = 2 + 0.6309297535714575;
    double swapped = 1 + 2 * 0.6309297535714575;
    assertThat(RetrievalSimilarity.of(REFERENCE, MODEL, 2).ndcg())
        .isCloseTo((swapped / ideal + 1 + 1 + 2 / ideal) / 4, within(1e-12))
        .isCloseTo(0.904977, within(1e-6));
  }

  @Test
  void correlates_the_ranks_of_pair_scores() {
    // Six pairs, of which four are one rank apart: 1 - 6 * 4 / (6 * 35).
    assertThat(RetrievalSimilarity.of(REFERENCE, MODEL, 1).spearman())
        .isCloseTo(1 - 24 / 210.0, within(1e-12));
  }

  @Test
  void equal_values_share_the_mean_of_their_ranks() {
    assertThat(SpearmanCorrelation.of(new double[] {1, 1, 2}, new double[] {1, 2, 3}))
        .isCloseTo(1.5 / Math.sqrt(1.5 * 2), within(1e-12));
    assertThat(SpearmanCorrelation.of(new double[] {1, 2, 3}, new double[] {9, 5, 1}))
        .isEqualTo(-1);
    assertThat(SpearmanCorrelation.of(new double[] {1, 1, 1}, new double[] {1, 2, 3})).isNaN();
  }

  @Test
  void is_perfect_for_the_reference_itself() {
    assertThat(RetrievalSimilarity.of(REFERENCE, REFERENCE, 2))
        .isEqualTo(new RetrievalSimilarity(4, 2, 1, 1, 1));
  }

  @Test
  void is_not_a_number_where_an_embedding_is_not() {
    RetrievalSimilarity broken =
        RetrievalSimilarity.of(REFERENCE, texts(1, Double.NaN, 0.5, 0.1), 2);
    assertThat(broken.recall()).isNaN();
    assertThat(broken.ndcg()).isNaN();
    assertThat(broken.spearman()).isNaN();
  }

  @Test
  void needs_more_texts_than_a_search_gives() {
    assertThatThrownBy(() -> RetrievalSimilarity.of(REFERENCE, MODEL, 4))
        .isInstanceOf(DataException.class)
        .hasMessage("recall and nDCG of the first 4 texts need at least 5 texts, but there are 4");
  }

  private static InputBatch batch(long... mask) {
    return new InputBatch(
        new TensorBatch(Map.of("attention_mask", Tensor.ofLongs(mask, 1, mask.length))),
        null,
        1,
        1);
  }

  private static final Tensor TOKENS = Tensor.ofFloats(new float[] {3, 4, 1, 2, 100, 100}, 1, 3, 2);

  @Test
  void pools_the_tokens_that_the_mask_keeps() {
    assertThat(Pooling.MEAN.embeddings(TOKENS, batch(1, 1, 0), false).get(0)).containsExactly(2, 3);
    assertThat(Pooling.CLS.embeddings(TOKENS, batch(1, 1, 0), false).get(0)).containsExactly(3, 4);
    assertThat(Pooling.CLS.embeddings(TOKENS, batch(1, 1, 0), true).get(0))
        .containsExactly(0.6, 0.8);
  }

  @Test
  void takes_what_the_model_has_pooled() {
    Tensor pooled = Tensor.ofFloats(new float[] {3, 4}, 1, 2);
    assertThat(Pooling.MEAN.embeddings(pooled, batch(1, 1, 0), true).get(0))
        .containsExactly(0.6, 0.8);
    assertThatThrownBy(
            () -> Pooling.MEAN.embeddings(Tensor.ofFloats(new float[2], 2), batch(1), true))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageStartingWith("embeddings need an output of shape");
  }
}
