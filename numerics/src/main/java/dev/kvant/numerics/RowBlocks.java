package dev.kvant.numerics;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Distributes the rows of a matrix over threads, in blocks that the threads claim in ascending
 * order.
 *
 * <p>The calling thread claims blocks like any other. The work is therefore completed even if the
 * executor has no free thread or rejects tasks. Tasks that start later find no block.
 */
final class RowBlocks {

  /** The work on the rows from {@code from} to before {@code to}. */
  @FunctionalInterface
  interface Work {
    void rows(int from, int to);
  }

  private final int rows;
  private final int rowsPerBlock;
  private final int blocks;
  private final Work work;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch unfinished;
  private final @Nullable Throwable[] failures;

  private RowBlocks(int rows, int rowsPerBlock, Work work) {
    this.rows = rows;
    this.rowsPerBlock = rowsPerBlock;
    this.work = work;
    this.blocks = (int) (((long) rows + rowsPerBlock - 1) / rowsPerBlock);
    this.unfinished = new CountDownLatch(blocks);
    this.failures = new @Nullable Throwable[blocks];
  }

  /**
   * Does the work for all rows and returns when it is done.
   *
   * <p>After a failure unclaimed blocks are skipped. All blocks before the failed one were claimed
   * and are completed, so the failure of the first failing row is thrown for any number of threads.
   */
  static void run(int rows, int rowsPerBlock, Executor executor, int parallelism, Work work) {
    RowBlocks run = new RowBlocks(rows, rowsPerBlock, work);
    try {
      run.startHelpers(executor, parallelism);
    } finally {
      run.claim();
      run.await();
    }
    for (Throwable failure : run.failures) {
      if (failure instanceof RuntimeException exception) {
        throw exception;
      }
      if (failure instanceof Error error) {
        throw error;
      }
    }
  }

  private void startHelpers(Executor executor, int parallelism) {
    for (int helper = 1; helper < Math.min(parallelism, blocks); helper++) {
      try {
        executor.execute(this::claim);
      } catch (RejectedExecutionException fullOrShutDown) {
        return;
      }
    }
  }

  private void claim() {
    for (int block = next.getAndIncrement(); block < blocks; block = next.getAndIncrement()) {
      try {
        int from = block * rowsPerBlock;
        work.rows(from, (int) Math.min(rows, (long) from + rowsPerBlock));
      } catch (RuntimeException | Error failure) {
        failures[block] = failure;
        abandonUnclaimed();
      } finally {
        unfinished.countDown();
      }
    }
  }

  private void abandonUnclaimed() {
    int claimed = next.getAndSet(blocks);
    for (int block = claimed; block < blocks; block++) {
      unfinished.countDown();
    }
  }

  private void await() {
    boolean interrupted = false;
    while (unfinished.getCount() > 0) {
      try {
        unfinished.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
