package dev.kvant.fuzz;

import com.sun.management.ThreadMXBean;
import dev.kvant.api.KvantException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * What a stranger's input may cause: nothing but a {@link KvantException} that says something, in
 * seconds, and with memory of a small multiple of its size.
 */
final class Input {

  /** For buffers of fixed sizes and the like. */
  private static final long FREE_BYTES = 64L << 20;

  private static final long BYTES_PER_BYTE = 2000;

  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final Path FOLDER = folder();

  private final byte[] bytes;

  Input(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Code that reads. */
  @FunctionalInterface
  interface Reading {
    void run() throws IOException;
  }

  private static Path folder() {
    try {
      Path folder = Files.createTempDirectory("kvant-fuzz");
      folder.toFile().deleteOnExit();
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder for what is written. */
  static Path place(String name) {
    return FOLDER.resolve(name);
  }

  /** The input as a text. */
  String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A file with this content, which the next one of that name replaces. */
  Path file(String name) throws IOException {
    Path file = Files.write(place(name), bytes);
    file.toFile().deleteOnExit();
    return file;
  }

  /** Reads the input; again if it was expensive, since the first of its kind loads classes. */
  void mayOnlyBeRefused(Reading reading) {
    mayOnlyBeRefused(FREE_BYTES, reading);
  }

  /**
   * Reads the input; again if it was expensive, since the first of its kind loads classes.
   *
   * @param free the memory that an input of any size may take
   */
  void mayOnlyBeRefused(long free, Reading reading) {
    Cost cost = cost(reading);
    long most = free + BYTES_PER_BYTE * bytes.length;
    if (cost.isHigherThan(most)) {
      cost = cost(reading);
      if (cost.isHigherThan(most)) {
        throw new AssertionError("%s for %d bytes of input".formatted(cost, bytes.length));
      }
    }
  }

  /**
   * What reading an input costs.
   *
   * @param nanos the time of the processor
   * @param allocated the memory that was allocated, in bytes
   */
  private record Cost(long nanos, long allocated) {

    boolean isHigherThan(long bytes) {
      return nanos > MOST_NANOS || allocated > bytes;
    }

    @Override
    public String toString() {
      return "%d ms and %d bytes of memory"
          .formatted(TimeUnit.NANOSECONDS.toMillis(nanos), allocated);
    }
  }

  private static Cost cost(Reading reading) {
    long allocated = THREADS.getCurrentThreadAllocatedBytes();
    long begun = THREADS.getCurrentThreadCpuTime();
    try {
      reading.run();
    } catch (KvantException | IOException e) {
      // Of the two a reader of data may throw the second; its caller names the file.
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new AssertionError("a refusal without a message", e);
      }
    }
    return new Cost(
        THREADS.getCurrentThreadCpuTime() - begun,
        THREADS.getCurrentThreadAllocatedBytes() - allocated);
  }
}
