package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.data.InputBatch;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SimilarityMeterTest {

  private static final InputBatch PADDED =
      new InputBatch(
          new TensorBatch(Map.of("attention_mask", Tensor.ofLongs(new long[] {1, 0, 1, 1}, 2, 2))),
          null,
          2,
          2);

  @Test
  void does_not_count_outputs_at_padded_positions() {
    OutputSimilarity similarity =
        similarity(
            Tensor.ofFloats(new float[] {1, 50, 3, 4}, 2, 2, 1),
            Tensor.ofFloats(new float[] {1, -9, 3, 4}, 2, 2, 1));

    assertThat(similarity.cosineMin()).isEqualTo(1);
    assertThat(similarity.sqnrDecibels()).isInfinite();
  }

  @Test
  void counts_all_of_an_output_without_positions() {
    // 10·log10((1 + 1 + 4 + 4) / 1) = 10 dB
    OutputSimilarity similarity =
        similarity(
            Tensor.ofFloats(new float[] {1, 1, 2, 2}, 2, 2),
            Tensor.ofFloats(new float[] {1, 2, 2, 2}, 2, 2));

    assertThat(similarity.sqnrDecibels()).isEqualTo(10);
  }

  private static OutputSimilarity similarity(Tensor reference, Tensor model) {
    SimilarityMeter meter = new SimilarityMeter();
    meter.add(Map.of("y", reference), Map.of("y", model), PADDED);
    return meter.similarity();
  }
}
