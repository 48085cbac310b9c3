package dev.kvant.backend.onnx.concurrent;

import dev.kvant.api.QuantizationCancelledException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Spreads tasks over threads, each of which adds to a result of its own. Takes few tasks ahead, so
 * that memory does not grow with their number; the first task that fails is the one whose failure
 * is thrown.
 *
 * @param <R> what a thread adds to
 * @since 0.1.0
 */
public final class Workers<R> implements AutoCloseable {

  private final ExecutorService executor;
  private final BlockingQueue<R> free = new LinkedBlockingQueue<>();
  private final List<R> results = new ArrayList<>();
  private final Deque<Future<?>> running = new ArrayDeque<>();

  public Workers(int threads, Supplier<R> results) {
    this.executor = Executors.newFixedThreadPool(threads);
    for (int i = 0; i < threads; i++) {
      R result = results.get();
      this.results.add(result);
      this.free.add(result);
    }
  }

  /** Has a task done soon; waits while enough others are waiting. */
  public void submit(Consumer<R> task) {
    if (running.size() >= 2 * results.size()) {
      await(running.remove());
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

  /** Waits for all tasks. */
  public List<R> finish() {
    while (!running.isEmpty()) {
      await(running.remove());
    }
    return results;
  }

  private static void await(Future<?> task) {
    try {
      task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuantizationCancelledException("calibration was interrupted", e);
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
  @Override
  public void close() {
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
