package dev.kvant.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C into an interrupt of the thread that works, and keeps the process alive until that
 * thread has cleaned up behind itself, though not for ever.
 */
final class Interruption {

  /**
   * Longer than a batch takes on a busy machine: native code is left at its end only, and to end
   * the process under it would crash.
   */
  private static final long PATIENCE_SECONDS = 60;

  private final CountDownLatch workDone = new CountDownLatch(1);

  private Interruption() {}

  /** Watches for the end of the process while that thread works. */
  static Interruption byCtrlC(Thread worker) {
    var interruption = new Interruption();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> interruption.interrupt(worker), "kvant-interruption"));
    return interruption;
  }

  private void interrupt(Thread worker) {
    if (workDone.getCount() == 0) {
      return;
    }
    worker.interrupt();
    try {
      workDone.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The work is done, so that the process may end. */
  void workIsDone() {
    workDone.countDown();
  }
}
