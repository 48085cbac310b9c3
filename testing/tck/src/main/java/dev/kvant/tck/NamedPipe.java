package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.function.Executable;

/**
 * A named pipe that nobody writes into: whoever opens it for reading waits for ever. No reader of
 * files may open one.
 *
 * @since 0.1.0
 */
public final class NamedPipe {

  private static final Duration AT_ONCE = Duration.ofSeconds(20);

  private NamedPipe() {}

  /**
   * Makes one, or aborts the test where the system has none.
   *
   * @return the path
   */
  public static Path create(Path path) throws IOException, InterruptedException {
    int status;
    try {
      status = new ProcessBuilder("mkfifo", path.toString()).start().waitFor();
    } catch (IOException e) {
      return abort("there is no mkfifo on this system: " + e);
    }
    assertEquals(0, status, () -> "mkfifo " + path);
    return path;
  }

  /**
   * Asserts that code refuses a pipe by one clear error, instead of waiting for what it contains.
   *
   * @param pipe must be named in the message
   * @return the message
   */
  public static String assertRefused(Path pipe, Executable reading) {
    return assertTimeoutPreemptively(
        AT_ONCE,
        () -> {
          try {
            reading.execute();
          } catch (KvantException | IOException e) {
            String message = e instanceof KvantException ? e.getMessage() : pipe + ": " + e;
            if (!String.valueOf(message).contains(pipe.getFileName().toString())) {
              fail("the pipe is not named: " + message, e);
            }
            return String.valueOf(message);
          } catch (Throwable e) {
            return fail("a pipe must be refused by a KvantException or an IOException", e);
          }
          return fail(pipe + " was read");
        },
        () -> "waited for what is in " + pipe);
  }

  /**
   * Asserts that code which looks whether a file is of its kind does not wait for what a pipe
   * contains, whatever it says.
   */
  public static void assertNotOpened(Path pipe, Executable looking) {
    assertTimeoutPreemptively(
        AT_ONCE,
        () -> {
          try {
            looking.execute();
          } catch (KvantException | IOException refused) {
            // Refusing to look is as good.
          }
        },
        () -> "waited for what is in " + pipe);
  }
}
