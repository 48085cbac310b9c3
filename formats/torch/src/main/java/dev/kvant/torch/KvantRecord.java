package dev.kvant.torch;

import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The record of an archive that Kvant's runtime puts into it. PyTorch ignores such records.
 *
 * @param record empty if the file has none
 */
record KvantRecord(Optional<ArchiveRecord> record) {

  /** The record's name without the root folder. */
  static final String NAME = "extra/kvant.json";

  /** That of a file which cannot have one. */
  static final KvantRecord NONE = new KvantRecord(Optional.empty());

  private static final int MAX_BYTES = 64 << 20;

  static void write(byte[] content, ArchiveWriter archive) {
    archive.record(NAME, content);
  }

  /** That of an archive. */
  static KvantRecord of(TorchArchive archive) {
    return new KvantRecord(archive.find(NAME));
  }

  /** Its content, if there is one. */
  Optional<byte[]> content() {
    return record.map(found -> found.readAll(MAX_BYTES));
  }

  /** Where its content starts in the file, if it is there as it is. */
  OptionalLong offset() {
    return record.map(ArchiveRecord::offset).orElse(OptionalLong.empty());
  }
}
