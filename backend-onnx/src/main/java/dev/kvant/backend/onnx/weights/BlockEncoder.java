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

  private BlockEncoder(BlockFormat format) {
    this.format = format;
  }

  /** Blocks that span their weights. */
  public static BlockEncoder spanning(BlockFormat format) {
    BlockQuantizer quantizer = format.quantizer();
    return new Nearest(format, (values, from, to, fromInRow) -> quantizer.step(values, from, to));
  }

  /**
   * Blocks with the least squared error.
   *
   * @param importance what the error of the weight for each input counts; null if all count the
   *     same
   */
  public static BlockEncoder ofLeastError(BlockFormat format, double @Nullable [] importance) {
    BlockSearch search = new BlockSearch(format.quantizer());
    return new Nearest(
        format,
        (values, from, to, fromInRow) -> search.step(values, from, to, importance, fromInRow));
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

  /** Finds the step of one block, of which each weight gets the code nearest to it. */
  @FunctionalInterface
  private interface Steps {
    BlockStep of(float[] values, int from, int to, int fromInRow);
  }

  private static final class Nearest extends BlockEncoder {

    private final Steps stepOf;

    Nearest(BlockFormat format, Steps stepOf) {
      super(format);
      this.stepOf = stepOf;
    }

    @Override
    boolean choosesCodes() {
      return false;
    }

    @Override
    void encode(float[] values, int length, BlockStep[] steps, byte[] codes) {
      int blockSize = super.format().blockSize();
      int next = 0;
      for (int row = 0; row < values.length; row += length) {
        for (int from = 0; from < length; from += blockSize) {
          int to = Math.min(length, from + blockSize);
          steps[next++] = stepOf.of(values, row + from, row + to, from);
        }
      }
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
      gptq.quantize(values, super.format().quantizer(), super.format().blockSize(), steps, codes);
    }
  }
}
