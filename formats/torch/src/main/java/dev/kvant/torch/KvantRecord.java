package dev.kvant.torch;

import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import java.util.Optional;

/** The record of an archive that Kvant's runtime puts into it. PyTorch ignores such records. */
final class KvantRecord {

  /** The record's name without the root folder. */
  static final String NAME = "extra/kvant.json";

  private static final int MAX_BYTES = 64 << 20;

  private KvantRecord() {}

  static void write(byte[] content, ArchiveWriter archive) {
    archive.record(NAME, content);
  }

  /** The content of the record, if the archive has one. */
  static Optional<byte[]> find(TorchArchive archive) {
    return archive.find(NAME).map(record -> record.readAll(MAX_BYTES));
  }
}
