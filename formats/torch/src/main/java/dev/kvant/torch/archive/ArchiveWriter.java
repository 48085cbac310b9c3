package dev.kvant.torch.archive;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.spi.ByteSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/**
 * Writes an archive that {@code torch.load}, {@code torch.jit.load} and libtorch open: stored
 * records at multiples of {@value #ALIGNMENT} bytes in one root folder, zip64 if sizes require it,
 * without timestamps, so that equal input gives equal bytes.
 *
 * @since 0.1.0
 */
public final class ArchiveWriter implements AutoCloseable {

  /** Records start at multiples of this number, as in PyTorch. */
  public static final int ALIGNMENT = 64;

  private static final int PIECE = 1 << 18;

  /** The earliest time that a zip supports; an entry without a time would get the current one. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final Path path;
  private final String root;
  private final FileChannel channel;
  private final ZipArchiveOutputStream zip;
  private final Set<String> names = new HashSet<>();
  private final byte[] piece = new byte[PIECE];
  private boolean closed;

  private ArchiveWriter(Path path, String root, FileChannel channel, ZipArchiveOutputStream zip) {
    this.path = path;
    this.root = root;
    this.channel = channel;
    this.zip = zip;
  }

  /**
   * Starts an archive and overwrites the file. For a file that must appear whole or not at all,
   * pass the temporary file of an {@link dev.kvant.spi.ArtifactTransaction}.
   *
   * @param root the folder of all records, without a slash
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public static ArchiveWriter create(Path path, String root) {
    if (root.isEmpty() || root.contains("/")) {
      throw new IllegalArgumentException(
          "root: '%s' is not the name of one folder".formatted(root));
    }
    try {
      FileChannel channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE,
              StandardOpenOption.READ);
      var zip = new ZipArchiveOutputStream(channel);
      zip.setUseZip64(Zip64Mode.AsNeeded);
      return new ArchiveWriter(path, root, channel, zip);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** Writes a record of those bytes. */
  public void record(String name, byte[] content) {
    record(name, content.length, target -> target.write(ByteBuffer.wrap(content)));
  }

  /**
   * Writes a record in pieces.
   *
   * @param name its name without the root folder
   * @param size the size of the content in bytes
   * @throws IllegalArgumentException if a record of that name exists
   * @throws IllegalStateException if the content was not of that size
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public void record(String name, long size, RecordContent content) {
    ZipArchiveEntry entry = entry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(size);
    try {
      zip.putArchiveEntry(entry);
      var target = new RecordChannel();
      content.writeTo(target);
      if (target.written != size) {
        throw new IllegalStateException(
            "record '%s' got %d bytes, %d were announced".formatted(name, target.written, size));
      }
      zip.closeArchiveEntry();
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** Copies a record of another archive unchanged, compressed or not. */
  public void copy(ArchiveRecord record) {
    if (!record.isDeflated()) {
      record(record.name(), record.size(), target -> copy(record, target));
      return;
    }
    ZipArchiveEntry entry = entry(record.name());
    entry.setMethod(ZipEntry.DEFLATED);
    entry.setSize(record.size());
    entry.setCompressedSize(record.raw().size());
    entry.setCrc(record.crc());
    try (InputStream raw = new SourceStream(record.raw())) {
      zip.addRawArchiveEntry(entry, raw);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  private static void copy(ByteSource source, WritableByteChannel target) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(PIECE, source.size()));
    for (long position = 0; position < source.size(); position += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), source.size() - position));
      source.read(position, buffer);
      target.write(buffer.flip());
    }
  }

  private ZipArchiveEntry entry(String name) {
    if (!names.add(name)) {
      throw new IllegalArgumentException("name: record '%s' was written before".formatted(name));
    }
    var entry = new ZipArchiveEntry(root + "/" + name);
    entry.setAlignment(ALIGNMENT);
    entry.setTimeLocal(NO_TIME);
    return entry;
  }

  /**
   * Completes the archive.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public void finish() {
    try {
      zip.finish();
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** Closes the file; without {@link #finish} it is not an archive. A second call does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      channel.close();
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** Names the folder, because the file may have a temporary name. */
  private static KvantException unwritable(Path path, IOException cause) {
    if (cause instanceof ClosedByInterruptException) {
      return new QuantizationCancelledException(
          "writing %s was interrupted".formatted(path), cause);
    }
    return new KvantException(
        "%s cannot be written to: %s"
            .formatted(path.toAbsolutePath().getParent(), cause.getMessage()),
        cause);
  }

  private final class RecordChannel implements WritableByteChannel {

    private long written;

    @Override
    public int write(ByteBuffer source) throws IOException {
      int count = source.remaining();
      while (source.hasRemaining()) {
        int length = Math.min(PIECE, source.remaining());
        source.get(piece, 0, length);
        zip.write(piece, 0, length);
      }
      written += count;
      return count;
    }

    @Override
    public boolean isOpen() {
      return !closed;
    }

    @Override
    public void close() {
      // A record ends when its content returns.
    }
  }

  private static final class SourceStream extends InputStream {

    private final ByteSource source;
    private long position;

    SourceStream(ByteSource source) {
      this.source = source;
    }

    @Override
    public int read() {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int count = (int) Math.min(length, source.size() - position);
      if (count <= 0) {
        return length == 0 ? 0 : -1;
      }
      source.read(position, ByteBuffer.wrap(target, offset, count));
      position += count;
      return count;
    }
  }
}
