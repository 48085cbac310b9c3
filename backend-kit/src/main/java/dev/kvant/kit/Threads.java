package dev.kvant.kit;

import dev.kvant.api.QuantizationCancelledException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Starts and ends the threads of a step, and waits for what they do.
 *
 * @since 0.1.0
 */
public final class Threads {

  private Threads() {}

  /**
   * Starts daemon threads.
   *
   * @param threads how many, 1 or more
   */
  public static ExecutorService start(int threads) {
    return Executors.newFixedThreadPool(
        threads,
        task -> {
          var thread = new Thread(task, "kvant-kit");
          thread.setDaemon(true);
          return thread;
        });
  }

  /**
   * The result of a task; what the task throws is thrown again.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public static <R> R await(Future<R> task) {
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuantizationCancelledException("the step was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException exception) {
        throw exception;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Drops what has not begun and waits for what has, since it uses what will be closed next. */
  public static void end(ExecutorService executor) {
    executor.shutdownNow();
    boolean interrupted = false;
    while (!executor.isTerminated()) {
      try {
        executor.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
