package dev.kvant.tck;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.function.Executable;

/** Counts the bytes that a thread allocates, which are the same however fast the machine is. */
final class Allocation {

  /** So much any reader may take, for its buffers. */
  private static final long ALWAYS = 64L << 20;

  /** And so much more for each byte of the file. */
  private static final long PER_BYTE = 256;

  private Allocation() {}

  /** Fails if reading a file of that many bytes takes much more memory than its size explains. */
  static void assertBounded(long bytes, String what, Executable reading) throws Throwable {
    if (!(ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads)) {
      reading.execute();
      return;
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    reading.execute();
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    if (taken > ALWAYS + PER_BYTE * bytes) {
      throw new AssertionError(
          "%s: a file of %d bytes takes %d bytes of memory".formatted(what, bytes, taken));
    }
  }
}
