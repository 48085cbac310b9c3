package dev.kvant.report;

import dev.kvant.api.KvantException;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.RegularFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A spec that Kvant writes into a file, whole or not at all.
 *
 * @since 0.1.0
 */
public final class SpecFile {

  /** The name of the spec beside artifacts. */
  public static final String NAME = "spec.yaml";

  /** Begins a spec beside artifacts, which the next one may replace. */
  private static final String MARK = "# Written by 'kvant ";

  private final Path file;

  private SpecFile(Path file) {
    this.file = file;
  }

  /** A file anywhere. */
  public static SpecFile at(Path file) {
    return new SpecFile(file);
  }

  /**
   * The file beside artifacts.
   *
   * @throws KvantException if somebody else than Kvant wrote one there
   */
  public static SpecFile beside(Path artifacts) {
    SpecFile spec = new SpecFile(artifacts.resolve(NAME));
    if (Files.exists(spec.file) && !spec.isMarked()) {
      throw new KvantException(
          "%s exists and was not written by Kvant; move it, or give another folder with --out"
              .formatted(spec.file));
    }
    return spec;
  }

  /** The text of a spec beside artifacts. */
  public static String marked(String text) {
    return MARK + "quantize'; copy it to change it, the next run without -c replaces it.\n" + text;
  }

  /** The text of a spec that a search found, beside its artifact. */
  public static String markedAsTuned(String text) {
    return MARK
        + "tune'; copy it to change it, the next search for this folder replaces it.\n"
        + text;
  }

  private boolean isMarked() {
    try (BufferedReader reader = RegularFile.text(file)) {
      String first = reader.readLine();
      return first != null && first.startsWith(MARK);
    } catch (IOException e) {
      return false;
    }
  }

  public Path path() {
    return file;
  }

  public boolean exists() {
    return Files.exists(file);
  }

  /**
   * Writes it.
   *
   * @throws KvantException if it cannot be written
   */
  public void write(String text) {
    Path absolute = file.toAbsolutePath();
    Path folder = absolute.getParent();
    Path name = absolute.getFileName();
    if (folder == null || name == null) {
      throw new KvantException("%s cannot be written: it names no file".formatted(file));
    }
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create(name.toString()), text);
      transaction.commit();
    } catch (IOException | KvantException e) {
      throw new KvantException("%s cannot be written: %s".formatted(file, e.getMessage()), e);
    }
  }
}
