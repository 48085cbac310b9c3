package dev.kvant.fuzz;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** An archive as torch writes it, one record of which is replaced by an input. */
final class SoundArchive {

  private final Map<String, byte[]> records = new LinkedHashMap<>();

  /** The archive in a resource. */
  SoundArchive(String resource) {
    try (ZipInputStream in =
        new ZipInputStream(
            Objects.requireNonNull(SoundArchive.class.getResourceAsStream(resource)))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        records.put(entry.getName(), in.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file with another content of the record whose name ends so. */
  Path with(String ending, byte[] content, String name) throws IOException {
    Path file = Input.place(name);
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> record : records.entrySet()) {
        zip.putNextEntry(new ZipEntry(record.getKey()));
        zip.write(record.getKey().endsWith(ending) ? content : record.getValue());
      }
    }
    file.toFile().deleteOnExit();
    return file;
  }
}
