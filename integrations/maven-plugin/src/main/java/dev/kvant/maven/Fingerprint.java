package dev.kvant.maven;

import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Hashes everything that a result depends on: texts, and files and folders by their content. */
final class Fingerprint {

  private final MessageDigest digest = sha256();

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Adds a value under a name; values of different names never run together. */
  Fingerprint with(String name, Object value) {
    part(name);
    part(String.valueOf(value));
    return this;
  }

  private void part(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(Integer.toString(bytes.length).getBytes(StandardCharsets.UTF_8));
    digest.update((byte) ':');
    digest.update(bytes);
  }

  /**
   * Adds the content of a file, or of all files of a folder with their names within it. What does
   * not exist is part of the hash too.
   *
   * @throws UncheckedIOException if something cannot be read
   */
  Fingerprint withContent(String name, Path path) {
    part(name);
    if (!Files.exists(path)) {
      part("missing");
      return this;
    }
    try (Stream<Path> walked = Files.walk(path)) {
      List<Path> files = walked.filter(Files::isRegularFile).sorted().toList();
      for (Path file : files) {
        part(path.relativize(file).toString().replace('\\', '/'));
        part(of(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be read".formatted(path), e);
    }
    return this;
  }

  /** The hash in hexadecimal digits; nothing can be added afterwards. */
  String value() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * The hash of one file.
   *
   * @throws IOException if it cannot be read
   */
  static String of(Path file) throws IOException {
    try (DigestInputStream in = new DigestInputStream(RegularFile.stream(file), sha256())) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    }
  }
}
