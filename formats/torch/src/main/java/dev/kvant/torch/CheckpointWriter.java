package dev.kvant.torch;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.tensor.StorageRecords;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.zip.CRC32;

/**
 * Writes checkpoints: the records that {@code torch.save} writes, in the same order.
 *
 * @since 0.1.0
 */
public final class CheckpointWriter {

  private CheckpointWriter() {}

  /**
   * Writes a file that {@code torch.load} opens.
   *
   * @param file the file, which is overwritten
   * @param root the folder within the archive, usually the file's name without its extension
   * @param content the result of {@code torch.load}
   * @param storages the storages of its tensors
   * @param record what Kvant puts into a record that PyTorch ignores; asked for when all else is
   *     written
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public static void write(
      Path file,
      String root,
      PickleValue content,
      StorageRecords storages,
      Supplier<byte[]> record) {
    byte[] pickle = PickleWriter.write(content);
    try (var archive = ArchiveWriter.create(file, root)) {
      archive.record("data.pkl", pickle);
      archive.record(".format_version", ascii("1"));
      archive.record(".storage_alignment", ascii(String.valueOf(ArchiveWriter.ALIGNMENT)));
      archive.record("byteorder", ascii("little"));
      storages.write(archive);
      archive.record("version", ascii("3\n"));
      archive.record(".data/serialization_id", ascii(serializationId(pickle)));
      KvantRecord.write(record.get(), archive);
      archive.finish();
    }
  }

  /** Identifies the archive as torch does: 40 digits that depend on its content. */
  private static String serializationId(byte[] pickle) {
    var crc = new CRC32();
    crc.update(pickle);
    return String.format(Locale.ROOT, "%040d", crc.getValue());
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
