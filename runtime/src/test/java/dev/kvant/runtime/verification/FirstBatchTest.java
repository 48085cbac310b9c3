package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

class FirstBatchTest {

  private static final TensorBatch ONE = TensorBatch.of(Tensor.ofFloats(new float[] {1}, 1, 1));
  private static final TensorBatch TWO = TensorBatch.of(Tensor.ofFloats(new float[] {2}, 1, 1));

  private int open;

  @Test
  void the_first_batch_is_read_once_and_leaves_nothing_open() {
    FirstBatch data = new FirstBatch(this::batches);

    assertThat(data.batch()).contains(ONE);
    assertThat(open).isZero();

    assertThat(data.batch()).contains(ONE);
  }

  @Test
  void what_was_walked_through_in_part_is_closed_and_can_be_read_again() {
    FirstBatch data = new FirstBatch(this::batches);
    try (data) {
      assertThat(data.iterator().next()).isEqualTo(ONE);
      assertThat(open).isOne();
    }

    assertThat(open).isZero();
    assertThat(data).containsExactly(ONE, TWO);
  }

  private Iterator<TensorBatch> batches() {
    open++;
    return new Batches(List.of(ONE, TWO).iterator());
  }

  private final class Batches implements Iterator<TensorBatch>, AutoCloseable {

    private final Iterator<TensorBatch> batches;

    Batches(Iterator<TensorBatch> batches) {
      this.batches = batches;
    }

    @Override
    public boolean hasNext() {
      return batches.hasNext();
    }

    @Override
    public TensorBatch next() {
      return batches.next();
    }

    @Override
    public void close() {
      open--;
    }
  }
}
