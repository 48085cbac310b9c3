package dev.kvant.spi;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Opens files that have content of their own. Opening a named pipe waits for a process that writes
 * into it, perhaps for ever, and a device such as {@code /dev/zero} may never end; these are
 * refused before they are opened. Links are followed.
 *
 * @since 0.1.0
 */
public final class RegularFile {

  private RegularFile() {}

  /**
   * Refuses what is not a file with content.
   *
   * @throws IOException if it is a folder, a pipe, a device or a socket, with that as its text; or
   *     if it does not exist or may not be looked at
   */
  public static void check(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (attributes.isDirectory()) {
      throw new NotRegularException(file, "it is a folder");
    }
    if (!attributes.isRegularFile()) {
      throw new NotRegularException(
          file, "it is a pipe, a device or a socket; copy its content into a file");
    }
  }

  /**
   * A stream of the bytes of a file, not buffered. The caller closes it.
   *
   * @throws IOException as {@link #check}, or if it cannot be opened
   */
  public static InputStream stream(Path file) throws IOException {
    check(file);
    return Files.newInputStream(file);
  }

  /**
   * A channel to read a file at any position. The caller closes it.
   *
   * @throws IOException as {@link #check}, or if it cannot be opened
   */
  public static FileChannel channel(Path file) throws IOException {
    check(file);
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /**
   * The text of a file in UTF-8. The caller closes it; reading throws a {@link
   * java.nio.charset.CharacterCodingException} at bytes that are not UTF-8.
   *
   * @throws IOException as {@link #check}, or if it cannot be opened
   */
  public static BufferedReader text(Path file) throws IOException {
    check(file);
    return Files.newBufferedReader(file, StandardCharsets.UTF_8);
  }

  /** Its text is the reason alone: messages name the file already. */
  private static final class NotRegularException extends FileSystemException {

    private static final long serialVersionUID = 1;

    NotRegularException(Path file, String reason) {
      super(file.toString(), null, reason);
    }

    @Override
    public String getMessage() {
      return getReason();
    }

    @Override
    public String toString() {
      return getReason();
    }
  }
}
