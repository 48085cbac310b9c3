package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Rows spread over threads")
class ParallelRowsTest {

  private static final int COLUMNS = 1000;
  private static final int ROWS = 1500;

  private final ByteBuffer source = Blocks.random(FloatType.FLOAT32, ROWS * COLUMNS);
  private final RowQuantizer sequential =
      RowQuantizer.torchao(FloatType.FLOAT32, QuantizedType.INT8);
  private final ExecutorService executor = Executors.newFixedThreadPool(3);

  @AfterEach
  void stopThreads() {
    executor.shutdownNow();
  }

  @ParameterizedTest
  @EnumSource
  void get_the_same_scales_codes_and_error(QuantizedType type) {
    RowQuantizer one = RowQuantizer.torchao(FloatType.FLOAT32, type);
    RowQuantizer many = one.parallel(4, executor);
    float[] expectedScales = new float[ROWS];
    float[] scales = new float[ROWS];
    ByteBuffer expected = ByteBuffer.allocate(ROWS * COLUMNS);
    ByteBuffer codes = ByteBuffer.allocate(ROWS * COLUMNS);

    one.quantizeRows(source, COLUMNS, expectedScales, 0, expected);
    many.quantizeRows(source, COLUMNS, scales, 0, codes);

    assertThat(scales).isEqualTo(expectedScales);
    assertThat(codes).isEqualTo(expected);
    assertThat(many.error(source, COLUMNS, scales, 0, codes))
        .isEqualTo(one.error(source, COLUMNS, scales, 0, codes));
  }

  @Test
  void report_the_first_weight_that_is_not_finite() {
    for (int row = ROWS - 1; row > 400; row -= 7) {
      Blocks.put(source, FloatType.FLOAT32, row * COLUMNS + 3, Float.NaN);
    }
    int first = ROWS - 1 - (ROWS - 1 - 401) / 7 * 7;
    for (int repetition = 0; repetition < 50; repetition++) {
      NonFiniteValueException thrown =
          catchThrowableOfType(
              NonFiniteValueException.class, () -> quantize(sequential.parallel(4, executor)));
      assertThat(thrown.index() / COLUMNS).isEqualTo(first);
    }
  }

  @Test
  void are_all_done_by_the_caller_when_the_executor_rejects_tasks() {
    RowQuantizer rejected =
        sequential.parallel(
            4,
            task -> {
              throw new RejectedExecutionException();
            });

    assertThat(quantize(rejected)).isEqualTo(quantize(sequential));
  }

  @Test
  void are_all_done_before_a_failure_of_the_executor_is_thrown() {
    byte[] codes = new byte[ROWS * COLUMNS];
    RowQuantizer failing =
        sequential.parallel(
            4,
            task -> {
              throw new IllegalStateException("broken");
            });

    assertThatThrownBy(
            () -> failing.quantizeRows(source, COLUMNS, new float[ROWS], 0, ByteBuffer.wrap(codes)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("broken");
    assertThat(codes).isEqualTo(quantize(sequential));
  }

  @Test
  void are_left_alone_by_tasks_that_start_after_the_end() {
    List<Runnable> waiting = new ArrayList<>();
    byte[] codes = new byte[ROWS * COLUMNS];
    sequential
        .parallel(4, waiting::add)
        .quantizeRows(source, COLUMNS, new float[ROWS], 0, ByteBuffer.wrap(codes));
    assertThat(codes).isEqualTo(quantize(sequential));

    Arrays.fill(codes, (byte) 0);
    assertThat(waiting).hasSize(3);
    waiting.forEach(Runnable::run);

    assertThat(codes).containsOnly(0);
  }

  @Test
  void are_quantized_within_a_task_of_a_pool_without_another_thread() throws Exception {
    ExecutorService one = Executors.newSingleThreadExecutor();
    try {
      byte[] codes = one.submit(() -> quantize(sequential.parallel(4, one))).get();

      assertThat(codes).isEqualTo(quantize(sequential));
    } finally {
      one.shutdownNow();
    }
  }

  @Test
  void are_finished_when_the_caller_is_interrupted_and_the_interrupt_is_kept() {
    Thread.currentThread().interrupt();

    byte[] codes = quantize(sequential.parallel(4, executor));

    assertThat(Thread.interrupted()).isTrue();
    assertThat(codes).isEqualTo(quantize(sequential));
  }

  @Test
  void need_at_least_one_thread() {
    assertThatThrownBy(() -> sequential.parallel(0, executor))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("parallelism must be at least 1, was 0");
  }

  private byte[] quantize(RowQuantizer quantizer) {
    byte[] codes = new byte[ROWS * COLUMNS];
    quantizer.quantizeRows(source, COLUMNS, new float[ROWS], 0, ByteBuffer.wrap(codes));
    return codes;
  }
}
