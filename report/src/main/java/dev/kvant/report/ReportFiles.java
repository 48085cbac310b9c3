package dev.kvant.report;

import dev.kvant.api.KvantException;
import dev.kvant.spi.ArtifactTransaction;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * The files of a report. They appear whole or not at all, and replace only files that Kvant wrote.
 *
 * @since 0.1.0
 */
public final class ReportFiles {

  /** The name of the report for programs in a folder. */
  public static final String JSON = "report.json";

  /** The name of the report for people in a folder. */
  public static final String HTML = "report.html";

  /** How many characters of a file must show that it is a report. */
  private static final int BEGINNING = 400;

  private final Path folder;
  private final List<String> names;

  private ReportFiles(Path folder, List<String> names) {
    this.folder = folder;
    this.names = List.copyOf(names);
  }

  /**
   * The files that a path means.
   *
   * @param path a file whose name ends in {@code .json} or {@code .html}, or a folder, existing or
   *     not, for {@value #JSON} and {@value #HTML}
   * @throws KvantException if it exists and is neither
   */
  public static ReportFiles at(Path path) {
    Objects.requireNonNull(path, "path");
    Path absolute = path.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    Path last = absolute.getFileName();
    if (Files.isDirectory(path) || parent == null || last == null) {
      return new ReportFiles(path, List.of(JSON, HTML));
    }
    String name = last.toString();
    if (isNamed(name, ".json") || isNamed(name, ".html")) {
      Path folder = path.getParent();
      return new ReportFiles(folder == null ? Path.of("") : folder, List.of(name));
    }
    if (Files.exists(path)) {
      throw new KvantException(
          "%s is a file; name a folder for the report, or a file that ends in .json or .html"
              .formatted(path));
    }
    return new ReportFiles(path, List.of(JSON, HTML));
  }

  private static boolean isNamed(String name, String ending) {
    return name.toLowerCase(Locale.ROOT).endsWith(ending);
  }

  /** Where the files are, or will be. */
  public List<Path> paths() {
    return names.stream().map(folder::resolve).toList();
  }

  /**
   * Refuses to replace files that are no reports of Kvant, before any long work.
   *
   * @throws KvantException if there is one
   */
  public void check() {
    for (Path file : paths()) {
      if (Files.exists(file) && !isReport(file)) {
        throw new KvantException(
            "%s exists and is not a report of Kvant; move it, or give another place for the report"
                .formatted(file));
      }
    }
  }

  private static boolean isReport(Path file) {
    return ReportDocument.isReport(file) || begins(file, ReportPage.GENERATOR);
  }

  /** Whether a mark is in the beginning of a file of text. */
  static boolean begins(Path file, String mark) {
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      char[] beginning = new char[BEGINNING];
      int read = reader.read(beginning);
      return read > 0 && new String(beginning, 0, read).contains(mark);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes the report. Earlier reports are replaced; of several files, all or none.
   *
   * @return the written files
   * @throws KvantException if a file that is no report of Kvant is there, or they cannot be written
   */
  public List<Path> write(JsonDocument report) {
    check();
    List<Path> written = new ArrayList<>();
    try (var transaction = ArtifactTransaction.begin(folder)) {
      for (String name : names) {
        Files.writeString(transaction.create(name), text(report, name));
        written.add(folder.resolve(name));
      }
      transaction.commit();
    } catch (IOException | KvantException e) {
      throw new KvantException(
          "the report %s cannot be written: %s".formatted(paths().get(0), e.getMessage()), e);
    }
    return written;
  }

  private static String text(JsonDocument report, String name) {
    return isNamed(name, ".html") ? ReportPage.of(report.fields()) : report.json() + "\n";
  }
}
