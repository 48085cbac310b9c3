package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Tasks in order")
@DisplayNameGeneration(ReplaceUnderscores.class)
class OrderedTasksTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void give_their_results_in_order_with_any_number_of_threads(int threads) throws IOException {
    List<Long> results = new ArrayList<>();

    OrderedTasks.run(threads, 100, index -> index, results::add);

    assertThat(results).isEqualTo(LongStream.range(0, 100).boxed().toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void fail_as_the_first_of_them_that_fails(int threads) {
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                OrderedTasks.run(
                    threads,
                    100,
                    index -> {
                      if (index >= 10) {
                        throw new IllegalStateException("task " + index);
                      }
                      return index;
                    },
                    result -> {}))
        .withMessage("task 10");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7})
  void end_when_the_thread_is_interrupted_and_leave_the_flag_set(int threads) {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> OrderedTasks.run(threads, 100, index -> index, result -> {}))
        .isInstanceOf(QuantizationCancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
