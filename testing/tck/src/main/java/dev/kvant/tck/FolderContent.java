package dev.kvant.tck;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The content of a folder, for a later comparison.
 *
 * @param digests size and digest of each file, by path within the folder
 */
record FolderContent(Map<String, String> digests) {

  /** Its current content; empty if the folder does not exist. */
  static FolderContent of(Path folder) {
    if (!Files.exists(folder)) {
      return new FolderContent(Map.of());
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      Map<String, String> digests = new TreeMap<>();
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        digests.put(folder.relativize(path).toString(), digest(Files.readAllBytes(path)));
      }
      return new FolderContent(digests);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The files of a folder in the order of their names; a file by itself. */
  static List<Path> files(Path path) {
    try (Stream<Path> paths = Files.walk(path)) {
      return paths.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Copies a file, or a folder with all in it; the folder around the copy is made. */
  static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(Objects.requireNonNull(to.getParent(), "parent"));
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    }
  }

  private static String digest(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return content.length + " bytes, SHA-256 " + HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
