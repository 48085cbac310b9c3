package dev.kvant.backend.onnx.weights;

import dev.kvant.numerics.BlockQuantizer;
import dev.kvant.numerics.BlockSearch;
import dev.kvant.numerics.BlockStep;
import dev.kvant.numerics.Gptq;
import org.jspecify.annotations.Nullable;

/**
 * How the scales and zero points of blocks are chosen, and with some ways the codes as well.
 * Several threads can use one at once.
 *
 * @since 0.1.0
 */
public abstract sealed class BlockEncoder {

  private final BlockFormat format;
  final BlockQuantizer quantizer;

  private BlockEncoder(BlockFormat format) {
    this.format = format;
    this.quantizer = format.quantizer();
  }

  /** Blocks that span their weights. */
  public static BlockEncoder spanning(BlockFormat format) {
    return new Spanning(format);
  }

  /**
   * Blocks with the least squared error.
   *
   * @param importance what the error of the weight for each input counts; null if all count the
   *     same
   */
  public static BlockEncoder ofLeastError(BlockFormat format, double @Nullable [] importance) {
    return new LeastError(format, importance);
  }

  /** Blocks with the least error of the outputs. */
  public static BlockEncoder ofLeastOutputError(BlockFormat format, Gptq gptq) {
    return new LeastOutputError(format, gptq);
  }

  /** How blocks are stored. */
  BlockFormat format() {
    return format;
  }

  /** Whether codes are chosen that are not those nearest to the weights. */
  abstract boolean choosesCodes();

  /**
   * Finds the steps of rows.
   *
   * @param values the rows, one after the other
   * @param length the length of a row
   * @param steps receives the steps, row by row
   * @param codes receives the code of each weight as an unsigned byte, if this chooses codes
   * @throws dev.kvant.numerics.NonFiniteValueException if a weight is NaN or infinite
   */
  abstract void encode(float[] values, int length, BlockStep[] steps, byte[] codes);

  /** The step of one block. */
  @FunctionalInterface
  private interface Block {
    BlockStep step(int from, int to, int fromInRow);
  }

  private void eachBlock(float[] values, int length, BlockStep[] steps, Block block) {
    int next = 0;
    for (int row = 0; row < values.length; row += length) {
      for (int from = 0; from < length; from += format.blockSize()) {
        int to = Math.min(length, from + format.blockSize());
        steps[next++] = block.step(row + from, row + to, from);
      }
    }
  }

  private static final class Spanning extends BlockEncoder {

    Spanning(BlockFormat format) {
      super(format);
    }

    @Override
    boolean choosesCodes() {
      return false;
    }

    @Override
    void encode(float[] values, int length, BlockStep[] steps, byte[] codes) {
      super.eachBlock(
          values, length, steps, (from, to, fromInRow) -> quantizer.step(values, from, to));
    }
  }

  private static final class LeastError extends BlockEncoder {

    private final BlockSearch search;
    private final double @Nullable [] importance;

    LeastError(BlockFormat format, double @Nullable [] importance) {
      super(format);
      this.search = new BlockSearch(quantizer);
      this.importance = importance;
    }

    @Override
    boolean choosesCodes() {
      return false;
    }

    @Override
    void encode(float[] values, int length, BlockStep[] steps, byte[] codes) {
      super.eachBlock(
          values,
          length,
          steps,
          (from, to, fromInRow) -> search.step(values, from, to, importance, fromInRow));
    }
  }

  private static final class LeastOutputError extends BlockEncoder {

    private final Gptq gptq;

    LeastOutputError(BlockFormat format, Gptq gptq) {
      super(format);
      this.gptq = gptq;
    }

    @Override
    boolean choosesCodes() {
      return true;
    }

    @Override
    void encode(float[] values, int length, BlockStep[] steps, byte[] codes) {
      gptq.quantize(values, quantizer, super.format().blockSize(), steps, codes);
    }
  }
}
