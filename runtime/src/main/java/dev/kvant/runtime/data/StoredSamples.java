package dev.kvant.runtime.data;

import dev.kvant.api.DataConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The first samples of a data set, in memory: read once, however many selections of them are used.
 *
 * @since 0.1.0
 */
@Internal
public final class StoredSamples {

  private final DataConfig data;
  private final List<SampleBlock> blocks;

  private StoredSamples(DataConfig data, List<SampleBlock> blocks) {
    this.data = data;
    this.blocks = blocks;
  }

  /**
   * Reads the samples.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param most how many samples are read at most
   * @throws DataException if the data cannot be read
   */
  public static StoredSamples read(
      DataReaders readers, DataConfig data, List<InputDescription> inputs, int most) {
    List<SampleBlock> blocks = new ArrayList<>();
    int missing = most;
    try (DataReader reader = readers.open(data, inputs, remark -> {})) {
      while (missing > 0) {
        Optional<SampleBlock> block = reader.next(missing);
        if (block.isEmpty()) {
          break;
        }
        blocks.add(block.get());
        missing -= block.get().count();
      }
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(data.path(), e), e);
    }
    return new StoredSamples(data, blocks);
  }

  /**
   * Some of the samples in batches.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param batchSize the batch size where the model has none, at least 1
   * @param selected whether a sample is used, by its position from 0
   * @throws DataException if they fit no batch
   */
  public List<InputBatch> batches(
      List<InputDescription> inputs, int batchSize, LongPredicate selected) {
    List<InputBatch> batches = new ArrayList<>();
    try (InputBatches reading =
        new InputBatches(
            data.path(),
            new SelectedSamples(new Memory(blocks.iterator()), Long.MAX_VALUE, selected),
            inputs,
            batchSize,
            batchSize,
            remark -> {})) {
      for (Optional<InputBatch> next = reading.next(); next.isPresent(); next = reading.next()) {
        batches.add(next.get());
      }
    }
    return batches;
  }

  /** Gives the blocks, in parts of the size that is asked for. */
  private static final class Memory implements DataReader {

    private final Iterator<SampleBlock> blocks;
    private @Nullable SampleBlock rest;

    Memory(Iterator<SampleBlock> blocks) {
      this.blocks = blocks;
    }

    @Override
    public OptionalLong count() {
      return OptionalLong.empty();
    }

    @Override
    public Optional<SampleBlock> next(int most) {
      SampleBlock block = rest;
      rest = null;
      if (block == null) {
        if (!blocks.hasNext()) {
          return Optional.empty();
        }
        block = blocks.next();
      }
      if (block.count() <= most) {
        return Optional.of(block);
      }
      rest = Rows.cut(block, most, block.count() - most);
      return Optional.of(Rows.cut(block, 0, most));
    }

    @Override
    public void close() {}
  }
}
