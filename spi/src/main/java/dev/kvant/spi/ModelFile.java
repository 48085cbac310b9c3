package dev.kvant.spi;

import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model's file, read at any position. Parts of it are read when they are asked for, into the
 * caller's buffers; nothing is mapped, so that closing it releases it at once, on every platform.
 *
 * @since 0.1.0
 */
public final class ModelFile implements ByteSource, AutoCloseable {

  /** The JDK keeps a direct buffer as large as the largest read into a heap buffer, per thread. */
  private static final int MAX_READ = 1 << 20;

  private final Path path;
  private final long size;
  private @Nullable FileChannel channel;

  private ModelFile(Path path, FileChannel channel, long size) {
    this.path = path;
    this.channel = channel;
    this.size = size;
  }

  /**
   * Opens a file.
   *
   * @throws ModelFormatException if it cannot be read
   */
  public static ModelFile open(Path path) {
    try {
      FileChannel channel = RegularFile.channel(path);
      return new ModelFile(path, channel, channel.size());
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long position, ByteBuffer target) {
    Objects.checkFromIndexSize(position, target.remaining(), size);
    int start = target.position();
    while (true) {
      FileChannel current = channel();
      try {
        int end = target.limit();
        try {
          while (target.position() < end) {
            target.limit((int) Math.min(end, target.position() + (long) MAX_READ));
            if (current.read(target, position + target.position() - start) < 0) {
              throw new ModelFormatException(
                  "%s became shorter while it was read; run again when nothing writes to it"
                      .formatted(path));
            }
          }
        } finally {
          target.limit(end);
        }
        return;
      } catch (ClosedByInterruptException e) {
        throw unreadable(path, e);
      } catch (ClosedChannelException e) {
        // Another thread was interrupted while it read: the channel is gone, the file is not.
        target.position(start);
      } catch (IOException e) {
        throw unreadable(path, e);
      }
    }
  }

  /** A part of the file. */
  public ByteSource slice(long offset, long bytes) {
    Objects.checkFromIndexSize(offset, bytes, size);
    return new Slice(offset, bytes);
  }

  /** Opens the file again where an interrupt has closed its channel. */
  private synchronized FileChannel channel() {
    FileChannel current = channel;
    if (current == null) {
      throw new IllegalStateException("the model %s was closed".formatted(path));
    }
    if (!current.isOpen()) {
      try {
        current = RegularFile.channel(path);
        channel = current;
      } catch (IOException e) {
        throw unreadable(path, e);
      }
    }
    return current;
  }

  private static KvantException unreadable(Path path, IOException cause) {
    if (cause instanceof ClosedByInterruptException) {
      return new QuantizationCancelledException(
          "reading %s was interrupted".formatted(path), cause);
    }
    return new ModelFormatException("%s cannot be read: %s".formatted(path, cause), cause);
  }

  @Override
  public synchronized void close() {
    FileChannel current = channel;
    channel = null;
    if (current != null) {
      try {
        current.close();
      } catch (IOException e) {
        throw unreadable(path, e);
      }
    }
  }

  private final class Slice implements ByteSource {

    private final long offset;
    private final long length;

    Slice(long offset, long length) {
      this.offset = offset;
      this.length = length;
    }

    @Override
    public long size() {
      return length;
    }

    @Override
    public void read(long position, ByteBuffer target) {
      Objects.checkFromIndexSize(position, target.remaining(), length);
      ModelFile.this.read(offset + position, target);
    }
  }
}
