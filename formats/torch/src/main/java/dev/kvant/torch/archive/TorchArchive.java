package dev.kvant.torch.archive;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.spi.ModelFile;
import dev.kvant.torch.pickle.PickleReader;
import dev.kvant.torch.pickle.PickleValue;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * A zip archive as {@code torch.save} and {@code torch.jit.save} write it: records in one root
 * folder.
 *
 * <p>Opening it reads the directory and checks it: records must be inside the file without
 * overlaps, and sizes must agree everywhere. Contents are read on demand.
 *
 * @since 0.1.0
 */
public final class TorchArchive implements AutoCloseable {

  private final ModelFile file;
  private final String root;
  private final Map<String, ArchiveRecord> records;

  private TorchArchive(ModelFile file, String root, Map<String, ArchiveRecord> records) {
    this.file = file;
    this.root = root;
    this.records = Collections.unmodifiableMap(records);
  }

  /**
   * Opens an archive.
   *
   * @throws ModelFormatException if it cannot be read, is not a zip, or is damaged
   */
  public static TorchArchive open(Path path) {
    return open(ModelFile.open(path));
  }

  /**
   * Reads an open file, which is closed with the archive, or at once where it is damaged.
   *
   * @throws ModelFormatException as {@link #open(Path)} does
   */
  public static TorchArchive open(ModelFile file) {
    try {
      List<ZipArchiveEntry> entries = directory(file);
      checkLayout(file.path(), file.size(), entries);
      String root = root(file.path(), entries);
      return new TorchArchive(file, root, records(file, root, entries));
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static List<ZipArchiveEntry> directory(ModelFile file) {
    try (ZipFile zip =
        ZipFile.builder().setSeekableByteChannel(new ByteSourceChannel(file)).get()) {
      return Collections.list(zip.getEntries()).stream()
          .filter(entry -> !entry.isDirectory())
          .toList();
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The library throws unchecked exceptions for some damaged directories.
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      throw new ModelFormatException(
          "%s is cut short or damaged: its zip directory cannot be read (%s); copy or download it again"
              .formatted(file.path(), Printable.shortened(reason(root))),
          e);
    }
  }

  /** What is the matter with a directory; not every exception has a message. */
  private static String reason(Throwable failure) {
    if (failure instanceof EOFException) {
      return "it ends too early";
    }
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  private static void checkLayout(Path path, long fileSize, List<ZipArchiveEntry> entries) {
    List<ZipArchiveEntry> byPlace = new ArrayList<>(entries);
    byPlace.sort(Comparator.comparingLong(ZipArchiveEntry::getLocalHeaderOffset));
    for (int i = 0; i < byPlace.size(); i++) {
      ZipArchiveEntry entry = byPlace.get(i);
      long end = i + 1 < byPlace.size() ? byPlace.get(i + 1).getLocalHeaderOffset() : fileSize;
      long start = entry.getDataOffset();
      long stored = entry.getCompressedSize();
      if (entry.getLocalHeaderOffset() < 0 || start < 0 || stored < 0 || stored > end - start) {
        throw damaged(
            path,
            "record '%s' of %d bytes exceeds its space"
                .formatted(Printable.shortened(entry.getName()), stored));
      }
      if (entry.getMethod() == ZipEntry.STORED && entry.getSize() != stored) {
        throw damaged(
            path,
            "record '%s' is stored in %d bytes, but announces %d"
                .formatted(Printable.shortened(entry.getName()), stored, entry.getSize()));
      }
    }
  }

  private static String root(Path path, List<ZipArchiveEntry> entries) {
    if (entries.isEmpty()) {
      throw new ModelFormatException("%s is an empty zip, not a model".formatted(path));
    }
    String first = entries.get(0).getName();
    int slash = first.indexOf('/');
    return slash < 0 ? "" : first.substring(0, slash);
  }

  private static Map<String, ArchiveRecord> records(
      ModelFile file, String root, List<ZipArchiveEntry> entries) {
    String prefix = root.isEmpty() ? "" : root + "/";
    Map<String, ArchiveRecord> records = new LinkedHashMap<>();
    for (ZipArchiveEntry entry : entries) {
      if (!entry.getName().startsWith(prefix)) {
        continue;
      }
      String name = entry.getName().substring(prefix.length());
      int method = entry.getMethod();
      if (entry.getGeneralPurposeBit().usesEncryption()
          || (method != ZipEntry.STORED && method != ZipEntry.DEFLATED)) {
        throw new ModelFormatException(
            "%s: record '%s' is encrypted or compressed by method %d, which PyTorch never does"
                .formatted(file.path(), Printable.shortened(name), method));
      }
      var record =
          new ArchiveRecord(
              file.path().toString(),
              name,
              entry.getSize(),
              method == ZipEntry.DEFLATED,
              entry.getCrc(),
              entry.getDataOffset(),
              file.slice(entry.getDataOffset(), entry.getCompressedSize()));
      if (records.put(name, record) != null) {
        throw damaged(
            file.path(), "two records are named '%s'".formatted(Printable.shortened(name)));
      }
    }
    return records;
  }

  private static ModelFormatException damaged(Path path, String what) {
    return new ModelFormatException(
        "%s is damaged: %s; copy or download it again".formatted(path, what));
  }

  /** The file. */
  public Path path() {
    return file.path();
  }

  /** The folder of all records, without a slash. */
  public String root() {
    return root;
  }

  /** All records, in the archive's order. */
  public Collection<ArchiveRecord> records() {
    return records.values();
  }

  /** The record of that name, without the root folder. */
  public Optional<ArchiveRecord> find(String name) {
    return Optional.ofNullable(records.get(name));
  }

  /**
   * The record of that name, without the root folder.
   *
   * @throws ModelFormatException if there is none
   */
  public ArchiveRecord record(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s has no record '%s'; the file is incomplete, save the model again"
                        .formatted(path(), Printable.shortened(name))));
  }

  /**
   * The pickle in the record of that name.
   *
   * @throws ModelFormatException if there is no such record, or it is damaged
   */
  public PickleValue pickle(String name) {
    ArchiveRecord record = record(name);
    return PickleReader.read(record.readAll(PickleReader.MAX_BYTES), record.toString());
  }

  @Override
  public void close() {
    file.close();
  }
}
