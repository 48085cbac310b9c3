package dev.kvant.torch.archive;

import dev.kvant.spi.ByteSource;
import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/** Reads a source from a position that moves. Closing it leaves the source open. */
final class ByteSourceChannel implements SeekableByteChannel {

  private final ByteSource source;
  private long position;
  private boolean open = true;

  ByteSourceChannel(ByteSource source) {
    this.source = source;
  }

  @Override
  public int read(ByteBuffer target) throws ClosedChannelException {
    check();
    long left = source.size() - position;
    if (left <= 0) {
      return -1;
    }
    int count = (int) Math.min(left, target.remaining());
    int limit = target.limit();
    source.read(position, target.limit(target.position() + count));
    target.limit(limit);
    position += count;
    return count;
  }

  @Override
  public int write(ByteBuffer content) {
    throw new NonWritableChannelException();
  }

  @Override
  public long position() throws ClosedChannelException {
    check();
    return position;
  }

  /**
   * @throws EOFException if the position is negative, which a damaged file can ask for
   */
  @Override
  public SeekableByteChannel position(long newPosition)
      throws ClosedChannelException, EOFException {
    check();
    if (newPosition < 0) {
      throw new EOFException("position %d is before the start".formatted(newPosition));
    }
    position = newPosition;
    return this;
  }

  @Override
  public long size() throws ClosedChannelException {
    check();
    return source.size();
  }

  @Override
  public SeekableByteChannel truncate(long size) {
    throw new NonWritableChannelException();
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
  }

  private void check() throws ClosedChannelException {
    if (!open) {
      throw new ClosedChannelException();
    }
  }
}
