package dev.kvant.runtime.data;

import dev.kvant.api.Internal;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongPredicate;

/**
 * Some of the samples of a data set, in its order.
 *
 * @since 0.1.0
 */
@Internal
public final class SelectedSamples implements DataReader {

  private final DataReader reader;
  private final long most;
  private final LongPredicate selected;
  private long read;
  private long given;

  /**
   * @param reader gives the samples; closed with this
   * @param most how many samples of the data set are looked at, from the first
   * @param selected whether a sample is given, by its position from 0
   */
  public SelectedSamples(DataReader reader, long most, LongPredicate selected) {
    this.reader = reader;
    this.most = most;
    this.selected = selected;
  }

  /** Not known: it depends on the selection. */
  @Override
  public OptionalLong count() {
    return OptionalLong.empty();
  }

  @Override
  public Optional<SampleBlock> next(int wanted) throws IOException {
    while (read < most) {
      Optional<SampleBlock> block = reader.next((int) Math.min(wanted, most - read));
      if (block.isEmpty()) {
        return block;
      }
      List<SampleBlock> kept = new ArrayList<>();
      for (int i = 0; i < block.get().count(); i++) {
        if (selected.test(read + i)) {
          kept.add(Rows.cut(block.get(), i, 1));
        }
      }
      read += block.get().count();
      if (!kept.isEmpty()) {
        given += kept.size();
        return Optional.of(Rows.join(kept));
      }
    }
    return Optional.empty();
  }

  /** How many samples were given so far. */
  public long given() {
    return given;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
