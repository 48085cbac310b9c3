package dev.kvant.torch.tensor;

import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.RecordContent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The storages of an archive under construction: names are assigned while its pickle is built,
 * contents are written behind it, in the same order.
 *
 * @since 0.1.0
 */
public final class StorageRecords {

  private record Storage(String name, long bytes, RecordContent content) {}

  private final Set<String> taken;
  private final List<Storage> storages = new ArrayList<>();
  private int next;

  /**
   * Storages in addition to others.
   *
   * @param taken the names of the others
   */
  public StorageRecords(Set<String> taken) {
    this.taken = new HashSet<>(taken);
  }

  /**
   * Announces a storage and returns its name.
   *
   * @param bytes its size in bytes
   * @param content writes the bytes later, when the archive is written
   */
  public String add(long bytes, RecordContent content) {
    while (taken.contains(String.valueOf(next))) {
      next++;
    }
    String name = String.valueOf(next++);
    storages.add(new Storage(name, bytes, content));
    return name;
  }

  /** Writes them all, as records named {@code data/} and the storage's name. */
  public void write(ArchiveWriter archive) {
    for (Storage storage : storages) {
      archive.record("data/" + storage.name(), storage.bytes(), storage.content());
    }
  }
}
