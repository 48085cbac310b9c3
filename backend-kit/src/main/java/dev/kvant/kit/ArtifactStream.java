package dev.kvant.kit;

import dev.kvant.api.KvantException;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/**
 * Writes an artifact. A full disk, or anything else that prevents it, becomes an error that names
 * the artifact's folder: the file itself has a temporary name.
 *
 * <p>Not a channel, which an interrupt of the thread would close: {@link
 * dev.kvant.spi.ProgressReporter} is what looks at interrupts.
 *
 * @since 0.1.0
 */
public final class ArtifactStream extends OutputStream {

  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final OutputStream out;

  /**
   * Opens a file to write it from its beginning.
   *
   * @param file a file of an {@link dev.kvant.spi.ArtifactTransaction}
   * @throws KvantException if it cannot be written
   */
  public ArtifactStream(Path file) {
    this.file = file;
    try {
      this.out = new BufferedOutputStream(new FileOutputStream(file.toFile()), BUFFER);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  /**
   * The error for an artifact that cannot be written.
   *
   * @param file the artifact, under whatever name
   * @param cause why
   */
  public static KvantException unwritable(Path file, IOException cause) {
    return new KvantException(
        "%s cannot be written to: %s"
            .formatted(file.toAbsolutePath().getParent(), cause.getMessage()),
        cause);
  }

  @Override
  public void write(int value) {
    try {
      out.write(value);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    try {
      out.write(bytes, offset, length);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  @Override
  public void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }
}
