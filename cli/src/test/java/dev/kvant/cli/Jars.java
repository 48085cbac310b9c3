package dev.kvant.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes jars. */
final class Jars {

  private Jars() {}

  /** A jar of one text. */
  static void write(Path jar, String name, String text) throws IOException {
    write(jar, Map.of(name, text.getBytes(StandardCharsets.UTF_8)));
  }

  /** A jar of some files. */
  static void write(Path jar, Map<String, byte[]> files) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
        zip.closeEntry();
      }
    }
  }
}
