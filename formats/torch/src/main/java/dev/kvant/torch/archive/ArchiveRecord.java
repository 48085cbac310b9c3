package dev.kvant.torch.archive;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.spi.ByteSource;
import java.lang.ref.SoftReference;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * One record of an archive.
 *
 * <p>A stored record, as PyTorch writes tensors, is read in place. A deflated record, as PyTorch
 * writes code, is inflated as a whole when it is first read, and again if memory became scarce.
 *
 * @since 0.1.0
 */
public final class ArchiveRecord implements ByteSource {

  /** The largest deflated record that is inflated. PyTorch deflates only code. */
  static final int MAX_INFLATED = 64 << 20;

  /** The checksum that PyTorch writes when checksums are disabled. */
  private static final long NO_CRC = 0;

  private final String archive;
  private final String name;
  private final long size;
  private final boolean deflated;
  private final long crc;
  private final long start;
  private final ByteSource raw;
  private SoftReference<byte @Nullable []> inflated = new SoftReference<>(null);

  ArchiveRecord(
      String archive,
      String name,
      long size,
      boolean deflated,
      long crc,
      long start,
      ByteSource raw) {
    this.archive = archive;
    this.name = name;
    this.size = size;
    this.deflated = deflated;
    this.crc = crc;
    this.start = start;
    this.raw = raw;
  }

  /** Its name without the archive's root folder, as in {@code data/0}. */
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return size;
  }

  /** Where its bytes start in the file; empty if they are compressed there. */
  public OptionalLong offset() {
    return deflated ? OptionalLong.empty() : OptionalLong.of(start);
  }

  /** Whether it is compressed in the file. */
  boolean isDeflated() {
    return deflated;
  }

  /** The CRC-32 in the archive; not all writers compute it. */
  long crc() {
    return crc;
  }

  /** The bytes as stored in the file. */
  ByteSource raw() {
    return raw;
  }

  @Override
  public void read(long position, ByteBuffer target) {
    if (deflated) {
      Objects.checkFromIndexSize(position, target.remaining(), size);
      target.put(inflated(), (int) position, target.remaining());
    } else {
      raw.read(position, target);
    }
  }

  /**
   * All bytes, for small records.
   *
   * @throws ModelFormatException if there are more, or they do not match the archive's checksum
   */
  public byte[] readAll(int limit) {
    byte[] bytes = readAll(limit, toString());
    return deflated ? bytes : checked(bytes);
  }

  /** The bytes, after checking the checksum, if the archive contains one. */
  private byte[] checked(byte[] bytes) {
    var actual = new CRC32();
    actual.update(bytes);
    if (crc != NO_CRC && crc != actual.getValue()) {
      throw new ModelFormatException(
          "%s is damaged: its checksum is %08x, but should be %08x; copy or download the file again"
              .formatted(this, actual.getValue(), crc));
    }
    return bytes;
  }

  private synchronized byte[] inflated() {
    byte[] bytes = inflated.get();
    if (bytes == null) {
      bytes = inflate();
      inflated = new SoftReference<>(bytes);
    }
    return bytes;
  }

  private byte[] inflate() {
    if (size > MAX_INFLATED) {
      throw new ModelFormatException(
          "%s is compressed, %d bytes large; save the model again with torch.save or torch.jit.save, which store tensors uncompressed"
              .formatted(this, size));
    }
    var bytes = new byte[(int) size];
    var inflater = new Inflater(true);
    try {
      inflater.setInput(raw.readAll(MAX_INFLATED, toString()));
      int filled = 0;
      while (filled < bytes.length) {
        int count = inflater.inflate(bytes, filled, bytes.length - filled);
        if (count == 0) {
          break;
        }
        filled += count;
      }
      if (filled < bytes.length || inflater.inflate(new byte[1]) > 0) {
        throw new ModelFormatException(
            "%s is damaged: its size differs from the announced %d bytes".formatted(this, size));
      }
      return checked(bytes);
    } catch (DataFormatException e) {
      throw new ModelFormatException("%s is damaged: %s".formatted(this, e.getMessage()), e);
    } finally {
      inflater.end();
    }
  }

  @Override
  public String toString() {
    return "record '%s' of %s".formatted(Printable.shortened(name), archive);
  }
}
