package dev.kvant.cli;

import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Style;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C into an interrupt of the thread that works, and keeps the process alive until that
 * thread has cleaned up behind itself, though not for ever.
 */
final class Interruption {

  /** The system property with the number of seconds that are waited. */
  static final String PATIENCE_PROPERTY = "kvant.patience";

  /** Longer than a batch takes on a busy machine: native code is left at its end only. */
  private static final int PATIENCE_SECONDS = 60;

  private final Screen screen;
  private final Duration patience;
  private final CountDownLatch workDone = new CountDownLatch(1);

  private Interruption(Screen screen, Duration patience) {
    this.screen = screen;
    this.patience = patience;
  }

  /** Watches for the end of the process while that thread works. */
  static Interruption byCtrlC(Thread worker, Screen screen, Properties properties) {
    var interruption = new Interruption(screen, patience(properties));
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> interruption.interrupt(worker), "kvant-interruption"));
    return interruption;
  }

  private static Duration patience(Properties properties) {
    String seconds = properties.getProperty(PATIENCE_PROPERTY, "");
    return Duration.ofSeconds(
        seconds.matches("\\d{1,5}") ? Integer.parseInt(seconds) : PATIENCE_SECONDS);
  }

  private void interrupt(Thread worker) {
    if (workDone.getCount() == 0) {
      return;
    }
    worker.interrupt();
    try {
      if (!workDone.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        screen.paragraph(
            "interrupted: ",
            Style.ERROR,
            "the model was still running after %d s, so the process is killed; older artifacts are as they were"
                .formatted(patience.toSeconds()));
        screen.writer().flush();
        kill();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Ends the process without a further step of its own. At any other end, that of {@link
   * Runtime#halt} as well, the C library would destroy what native libraries hold, under the native
   * code that still works with it, which crashes. Java kills every process but its own.
   */
  private static void kill() throws InterruptedException {
    String self = Long.toString(ProcessHandle.current().pid());
    try {
      new ProcessBuilder("sh", "-c", "kill -KILL " + self).start().waitFor();
    } catch (IOException e) {
      // Where there is no such shell, the process ends as it can.
      Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }
  }

  /** The work is done, so that the process may end. */
  void workIsDone() {
    workDone.countDown();
  }
}
