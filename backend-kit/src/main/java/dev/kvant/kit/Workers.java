package dev.kvant.kit;

import dev.kvant.api.QuantizationCancelledException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Spreads tasks over threads, each of which adds to a result of its own. Takes few tasks ahead, so
 * that memory does not grow with their number; the first task that fails is the one whose failure
 * is thrown.
 *
 * <p>For results in the order of the tasks, see {@link OrderedTasks}.
 *
 * @param <R> what a thread adds to
 * @since 0.1.0
 */
public final class Workers<R> implements AutoCloseable {

  private final ExecutorService executor;
  private final BlockingQueue<R> free = new LinkedBlockingQueue<>();
  private final List<R> results = new ArrayList<>();
  private final Deque<Future<?>> running = new ArrayDeque<>();

  /**
   * Starts threads.
   *
   * @param threads how many, 1 or more
   * @param results makes what a thread adds to, once for each
   */
  public Workers(int threads, Supplier<R> results) {
    this.executor = Threads.start(threads);
    for (int i = 0; i < threads; i++) {
      R result = results.get();
      this.results.add(result);
      this.free.add(result);
    }
  }

  /**
   * Has a task done soon; waits while enough others are waiting.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public void submit(Consumer<R> task) {
    if (running.size() >= 2 * results.size()) {
      Threads.await(running.remove());
    }
    running.add(
        executor.submit(
            () -> {
              R result = free.remove();
              try {
                task.accept(result);
              } finally {
                free.add(result);
              }
            }));
  }

  /**
   * Waits for all tasks.
   *
   * @return what the threads added to
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public List<R> finish() {
    while (!running.isEmpty()) {
      Threads.await(running.remove());
    }
    return results;
  }

  /** Drops what has not begun and waits for what has, since it uses what will be closed next. */
  @Override
  public void close() {
    Threads.end(executor);
  }
}
