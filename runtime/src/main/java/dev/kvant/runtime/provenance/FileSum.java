package dev.kvant.runtime.provenance;

import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.runtime.calibration.DataFingerprint;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * A file with its size and its SHA-256.
 *
 * @param path where it is in a folder, its parts separated by slashes
 * @param bytes its size
 * @param sha256 64 hexadecimal digits in lower case
 * @since 0.1.0
 */
@Internal
public record FileSum(String path, long bytes, String sha256) {

  private static final int BLOCK = 1 << 20;

  /**
   * Reads a file.
   *
   * @param folder the folder that its path counts from
   * @throws KvantException if it cannot be read
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  static FileSum of(Path folder, Path file) {
    MessageDigest digest = DataFingerprint.digest();
    long bytes = 0;
    try (InputStream in = RegularFile.stream(file)) {
      byte[] block = new byte[BLOCK];
      for (int read = in.read(block); read >= 0; read = in.read(block)) {
        digest.update(block, 0, read);
        bytes += read;
        if (Thread.currentThread().isInterrupted()) {
          throw new QuantizationCancelledException("the sum of %s was interrupted".formatted(file));
        }
      }
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    return new FileSum(name(folder, file), bytes, HexFormat.of().formatHex(digest.digest()));
  }

  /** The path of a file within a folder, or to it by way of parents. */
  static String name(Path folder, Path file) {
    Path from = folder.toAbsolutePath().normalize();
    Path to = file.toAbsolutePath().normalize();
    if (from.getRoot() == null || !from.getRoot().equals(to.getRoot())) {
      return to.toString();
    }
    return StreamSupport.stream(from.relativize(to).spliterator(), false)
        .map(Path::toString)
        .collect(Collectors.joining("/"));
  }
}
