package dev.kvant.runtime.calibration;

import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The SHA-256 of all files of a model, one after the other.
 *
 * @since 0.1.0
 */
@Internal
public final class ModelFingerprint {

  private ModelFingerprint() {}

  /** The fingerprint, in hexadecimal digits. */
  public static String of(QuantizableModel model) {
    MessageDigest digest = DataFingerprint.digest();
    files(model).forEach(file -> add(digest, file));
    return HexFormat.of().formatHex(digest.digest());
  }

  /** All files of a model, for a folder those in it. */
  public static List<Path> files(QuantizableModel model) {
    return model.files().stream()
        .flatMap(file -> Files.isDirectory(file) ? content(file).stream() : Stream.of(file))
        .distinct()
        .toList();
  }

  private static List<Path> content(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(folder, e), e);
    }
  }

  private static void add(MessageDigest digest, Path file) {
    try (InputStream in = new DigestInputStream(RegularFile.stream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(file, e), e);
    }
  }
}
