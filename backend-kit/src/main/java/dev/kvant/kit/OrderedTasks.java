package dev.kvant.kit;

import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Computes results on several threads and hands them over in order, on the caller's thread. Few
 * tasks run ahead, so that memory does not grow with their number.
 *
 * @since 0.1.0
 */
public final class OrderedTasks {

  /**
   * Computes the result of a task.
   *
   * @param <R> the result
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Task<R> {

    /**
     * Computes it; several threads call this at once.
     *
     * @param index the number of the task, from 0 on
     */
    R compute(long index);
  }

  /**
   * Takes results.
   *
   * @param <R> the result
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Output<R> {

    /** Takes the result of the next task. */
    void accept(R result) throws IOException;
  }

  private OrderedTasks() {}

  /**
   * Runs tasks. The first that fails is the one whose failure is thrown.
   *
   * @param threads how many threads compute; with one, the caller's
   * @param count how many tasks there are
   * @throws IOException what the output throws
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public static <R> void run(int threads, long count, Task<R> task, Output<R> output)
      throws IOException {
    if (threads <= 1 || count <= 1) {
      for (long index = 0; index < count; index++) {
        output.accept(task.compute(index));
      }
      return;
    }
    ExecutorService executor = Threads.start((int) Math.min(threads, count));
    try {
      Deque<Future<R>> running = new ArrayDeque<>();
      for (long index = 0; index < count; index++) {
        if (running.size() >= 2 * threads) {
          output.accept(Threads.await(running.remove()));
        }
        long own = index;
        running.add(executor.submit(() -> task.compute(own)));
      }
      while (!running.isEmpty()) {
        output.accept(Threads.await(running.remove()));
      }
    } finally {
      Threads.end(executor);
    }
  }
}
