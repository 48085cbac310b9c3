package dev.kvant.backend.torchao;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizationException;
import dev.kvant.numerics.CodePairs;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.RowQuantizer;
import dev.kvant.spi.ByteSource;
import dev.kvant.torch.tensor.ChannelLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One weight on its way to a file: read, quantized and written block by block, so that nothing but
 * its scales is ever in memory as a whole.
 *
 * <p>A block is as many whole rows as fit, or a part of a row that does not.
 */
final class QuantizedWeight {

  /** Covers that codes come from a product with a reciprocal, which is rounded twice. */
  private static final float REACH = 1 + 0x1p-21f;

  private final String name;
  private final ModelTensor weight;
  private final ChannelLayout layout;
  private final WeightType type;
  private final boolean fitsPairs;
  private float @Nullable [] scales;
  private @Nullable QuantizationError error;
  private @Nullable ByteSource written;

  /**
   * A weight that nothing has been read of yet.
   *
   * @param name the tensor's name, for messages
   * @param type what to quantize to
   * @param fitsPairs whether a row gets fewer int8 codes where products of neighbours could
   *     overflow in 16 bits
   */
  QuantizedWeight(
      String name, ModelTensor weight, ChannelLayout layout, WeightType type, boolean fitsPairs) {
    this.name = name;
    this.weight = weight;
    this.layout = layout;
    this.type = type;
    this.fitsPairs = fitsPairs;
  }

  String name() {
    return name;
  }

  ModelTensor weight() {
    return weight;
  }

  ChannelLayout layout() {
    return layout;
  }

  WeightType type() {
    return type;
  }

  /**
   * Takes the codes that {@link #writeCodes} wrote from a file from now on, instead of reading and
   * quantizing the weight again.
   *
   * @param codes a byte for each element, in row-major order; null to quantize again
   */
  void readCodesFrom(@Nullable ByteSource codes) {
    this.written = codes;
  }

  /**
   * Writes the codes, a byte for each element, in row-major order.
   *
   * @throws QuantizationException if an element is NaN or infinite
   */
  void writeCodes(WritableByteChannel target, Workspace workspace) throws IOException {
    if (written != null) {
      copy(written, workspace, (columns, firstRow, codes) -> target.write(codes));
      return;
    }
    write(workspace, (quantizer, block, columns, firstRow, codes) -> target.write(codes));
  }

  /**
   * Writes what the codes stand for, in the weight's own type.
   *
   * @throws QuantizationException if an element is NaN or infinite
   */
  void writeRestored(WritableByteChannel target, Workspace workspace) throws IOException {
    if (written != null) {
      RowQuantizer quantizer = quantizer(workspace);
      copy(
          written,
          workspace,
          (columns, firstRow, codes) -> {
            ByteBuffer block = workspace.weights(codes.remaining() * elementBytes());
            quantizer.dequantize(codes, columns, scales(), firstRow, block);
            target.write(block);
          });
      return;
    }
    write(
        workspace,
        (quantizer, block, columns, firstRow, codes) -> {
          quantizer.dequantize(codes, columns, scales(), firstRow, block);
          target.write(block);
        });
  }

  /**
   * The scale of each channel as little-endian float32.
   *
   * @throws IllegalStateException before anything was written
   */
  byte[] scaleBytes() {
    float[] values = scales();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  /**
   * The scale of each channel.
   *
   * @throws IllegalStateException before anything was written
   */
  double[] scaleDoubles() {
    float[] values = scales();
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  /** How far the codes are from the weight; null before anything was written. */
  @Nullable QuantizationError error() {
    return error;
  }

  private float[] scales() {
    if (scales == null) {
      throw new IllegalStateException("the scales of '%s' are found by writing it".formatted(name));
    }
    return scales;
  }

  /** What is done with a block once it is quantized. */
  private interface Output {
    void accept(
        RowQuantizer quantizer, ByteBuffer block, int columns, int firstRow, ByteBuffer codes)
        throws IOException;
  }

  private RowQuantizer quantizer(Workspace workspace) {
    return workspace.quantizer(WeightType.source(weight.elementType()).orElseThrow(), type.codes());
  }

  private void write(Workspace workspace, Output output) throws IOException {
    RowQuantizer quantizer = quantizer(workspace);
    boolean inOnePass = layout.slices() == 1 && rowsInBlock(workspace) > 0 && !fitsPairs;
    float[] scales = new float[layout.channels()];
    this.scales = scales;
    if (!inOnePass) {
      forEachBlockOfWeights(
          workspace, (block, columns, row) -> quantizer.amax(block, columns, scales, row));
      for (int i = 0; i < scales.length; i++) {
        scales[i] = quantizer.scale(scales[i]);
      }
    }
    if (fitsPairs) {
      fitPairs(workspace, scales);
    }
    QuantizationError[] sum = {QuantizationError.NONE};
    forEachBlockOfWeights(
        workspace,
        (block, columns, row) -> {
          int bytes = block.remaining();
          ByteBuffer codes = workspace.codes(bytes / elementBytes());
          if (inOnePass) {
            quantizer.quantizeRows(block, columns, scales, row, codes);
          } else {
            quantizer.quantize(block, columns, scales, row, codes);
          }
          sum[0] = sum[0].plus(quantizer.error(block, columns, scales, row, codes));
          output.accept(quantizer, block, columns, row, codes);
          workspace.advance(bytes, name);
        });
    error = sum[0];
  }

  /** Raises scales until no pair of neighbours in a row overflows. */
  private void fitPairs(Workspace workspace, float[] scales) throws IOException {
    FloatType source = WeightType.source(weight.elementType()).orElseThrow();
    float[] raised = scales.clone();
    forEachBlockOfWeights(
        workspace,
        (block, columns, firstRow) -> {
          ByteBuffer values = block.slice().order(ByteOrder.LITTLE_ENDIAN);
          int rows = block.remaining() / columns / elementBytes();
          for (int row = 0; row < rows; row++) {
            int channel = firstRow + row;
            for (int column = 0; column + 1 < columns; column += 2) {
              int at = row * columns + column;
              raised[channel] =
                  Math.max(
                      raised[channel],
                      CodePairs.scale(
                          REACH * source.get(values, at),
                          REACH * source.get(values, at + 1),
                          scales[channel]));
            }
          }
        });
    System.arraycopy(raised, 0, scales, 0, scales.length);
  }

  /** What is done with a block of codes that were written before. */
  private interface CodeWork {
    void accept(int columns, int firstRow, ByteBuffer codes) throws IOException;
  }

  private void copy(ByteSource written, Workspace workspace, CodeWork work) throws IOException {
    forEachBlock(
        workspace,
        (element, rows, columns, row) -> {
          ByteBuffer codes = workspace.codes(rows * columns);
          written.read(element, codes);
          work.accept(columns, row, codes.flip());
          workspace.advance((long) rows * columns * elementBytes(), name);
        });
  }

  /** What is done with a block of whole rows, or a part of one. */
  private interface BlockWork {
    void accept(ByteBuffer block, int columns, int firstRow) throws IOException;
  }

  /** The place of a block: its first element, how many rows and columns, its first row. */
  private interface Place {
    void accept(long element, int rows, int columns, int firstRow) throws IOException;
  }

  /** How many rows fit into a block; 0 if not even one does. */
  private int rowsInBlock(Workspace workspace) {
    return workspace.blockBytes() / elementBytes() / layout.columns();
  }

  private int elementBytes() {
    return weight.elementType().bytes();
  }

  private void forEachBlockOfWeights(Workspace workspace, BlockWork work) throws IOException {
    forEachBlock(
        workspace,
        (element, rows, columns, firstRow) ->
            block(workspace, element, rows, columns, firstRow, work));
  }

  private void forEachBlock(Workspace workspace, Place work) throws IOException {
    int rowsInBlock = rowsInBlock(workspace);
    int columns = Math.min(layout.columns(), workspace.blockBytes() / elementBytes());
    long element = 0;
    for (long slice = 0; slice < layout.slices(); slice++) {
      int row = 0;
      while (row < layout.channels()) {
        int rows = Math.max(1, Math.min(rowsInBlock, layout.channels() - row));
        for (int column = 0; column < layout.columns(); column += columns) {
          int length = Math.min(columns, layout.columns() - column);
          work.accept(element, rows, length, row);
          element += (long) rows * length;
        }
        row += rows;
      }
    }
  }

  private void block(
      Workspace workspace, long element, int rows, int columns, int firstRow, BlockWork work)
      throws IOException {
    ByteBuffer block = workspace.weights(rows * columns * elementBytes());
    weight.read(element, block);
    try {
      work.accept(block.flip(), columns, firstRow);
    } catch (NonFiniteValueException e) {
      throw new QuantizationException(
          "'%s' cannot be quantized: element %s is %s; such a model answers nothing useful, train or export it again, or leave the module native"
              .formatted(name, layout.index(element + e.index()), e.value()),
          e);
    }
  }

  @Override
  public String toString() {
    return "%s to %s".formatted(name, Objects.requireNonNull(type));
  }
}
