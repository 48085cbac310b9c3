package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FirstSamplesTest {

  @Test
  void takes_the_first_rows_of_all_tensors() {
    TensorBatch batch =
        new TensorBatch(
            Map.of(
                "a", Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 3, 2),
                "b", Tensor.ofLongs(new long[] {7, 8, 9}, 3)));

    TensorBatch first = FirstSamples.of(batch, 2);

    assertThat(FirstSamples.count(first)).isEqualTo(2);
    assertThat(first.inputs())
        .hasEntrySatisfying("a", a -> assertThat(a.toFloats()).containsExactly(1, 2, 3, 4))
        .hasEntrySatisfying("b", b -> assertThat(b.shape()).containsExactly(2L));
  }

  @Test
  void keeps_a_batch_whose_tensors_do_not_share_rows() {
    TensorBatch batch =
        new TensorBatch(
            Map.of(
                "a", Tensor.ofFloats(new float[] {1, 2, 3}, 3),
                "scale", Tensor.ofFloats(new float[] {1, 2}, 2)));

    assertThat(FirstSamples.of(batch, 1)).isSameAs(batch);
  }
}
