package dev.kvant.runtime.data;

import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Gives blocks that are in memory, cut where fewer samples are asked for. */
final class ListReader implements DataReader {

  private final Deque<SampleBlock> blocks;
  private int closed;

  ListReader(SampleBlock... blocks) {
    this.blocks = new ArrayDeque<>(List.of(blocks));
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.empty();
  }

  @Override
  public Optional<SampleBlock> next(int most) {
    SampleBlock next = blocks.poll();
    if (next != null && next.count() > most) {
      blocks.push(Rows.cut(next, most, next.count() - most));
      return Optional.of(Rows.cut(next, 0, most));
    }
    return Optional.ofNullable(next);
  }

  int closed() {
    return closed;
  }

  @Override
  public void close() {
    closed++;
  }
}
