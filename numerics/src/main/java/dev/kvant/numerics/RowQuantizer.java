package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Quantizes weight matrices symmetrically with one scale per row.
 *
 * <p>A matrix has the shape {@code [rows, columns]} and is passed in blocks of whole rows: one row,
 * all rows, or as many as a memory budget allows. A block of weights is a {@link ByteBuffer}, on
 * the heap, direct or mapped, whose bytes from position to limit are little-endian values of {@link
 * #weights()} in row-major order, whatever the buffer's own {@linkplain ByteBuffer#order() order}.
 * A block of codes has one byte per weight. Positions and limits stay unchanged. Arrays of scales
 * and of amax belong to the whole matrix: a block's argument {@code firstRow} is the index at which
 * they start.
 *
 * <p>Other granularities come from the same methods:
 *
 * <ul>
 *   <li>per channel on axis 0 of a tensor {@code [channels, …]}: {@code columns} is the product of
 *       the other dimensions;
 *   <li>per channel on axis 1 of a tensor {@code [n, channels, …]}, as in transposed convolutions:
 *       each of the {@code n} slices is a matrix {@code [channels, …]}; merge {@link #amax} over
 *       all slices, turn it into scales with {@link #scale}, then {@link #quantize} each slice;
 *   <li>per tensor: the same with the tensor as one row, or as rows that share one scale.
 * </ul>
 *
 * <p>Instances are immutable and thread-safe.
 *
 * @since 0.1.0
 */
public final class RowQuantizer {

  /**
   * The number of weights that one thread claims at a time: large enough to make claiming cheap.
   */
  private static final int BLOCK_ELEMENTS = 1 << 17;

  private final Recipe recipe;
  private final FloatType weights;
  private final QuantizedType codes;
  private final Executor executor;
  private final int parallelism;

  private RowQuantizer(
      Recipe recipe, FloatType weights, QuantizedType codes, Executor executor, int parallelism) {
    this.recipe = recipe;
    this.weights = Objects.requireNonNull(weights, "weights");
    this.codes = Objects.requireNonNull(codes, "codes");
    this.executor = executor;
    this.parallelism = parallelism;
  }

  /**
   * Returns a quantizer that computes what torchao 0.18 computes, bit for bit, on the calling
   * thread.
   *
   * @param weights the type of the weights
   * @param codes the type to quantize to
   * @return the quantizer
   * @see #scale
   * @see #quantize
   */
  public static RowQuantizer torchao(FloatType weights, QuantizedType codes) {
    return new RowQuantizer(Recipe.TORCHAO, weights, codes, Runnable::run, 1);
  }

  /**
   * Returns a quantizer that computes what onnxruntime.quantization 1.32 computes for symmetric
   * weights, bit for bit, on the calling thread.
   *
   * @param weights the type of the weights
   * @param codes the type to quantize to
   * @return the quantizer
   * @see #scale
   * @see #quantize
   */
  public static RowQuantizer onnxRuntime(FloatType weights, QuantizedType codes) {
    return new RowQuantizer(Recipe.ONNX_RUNTIME, weights, codes, Runnable::run, 1);
  }

  /**
   * Returns a quantizer with the same results that distributes the rows of a block over threads.
   *
   * <p>The calling thread takes part, so up to {@code parallelism - 1} tasks are passed to the
   * executor. Tasks that it rejects or starts late only reduce speed. No task uses the block after
   * the method has returned or thrown.
   *
   * @param parallelism the maximum number of threads, at least 1
   * @param executor runs the tasks
   * @return the quantizer
   * @throws IllegalArgumentException if {@code parallelism} is less than 1
   */
  public RowQuantizer parallel(int parallelism, Executor executor) {
    if (parallelism < 1) {
      throw new IllegalArgumentException("parallelism must be at least 1, was " + parallelism);
    }
    return new RowQuantizer(
        recipe, weights, codes, Objects.requireNonNull(executor, "executor"), parallelism);
  }

  /**
   * Returns the type of the weights.
   *
   * @return the type
   */
  public FloatType weights() {
    return weights;
  }

  /**
   * Returns the type of the codes.
   *
   * @return the type
   */
  public QuantizedType codes() {
    return codes;
  }

  /**
   * Raises each row's entry in {@code amax} to the largest magnitude in that row, {@code amax[r] =
   * max(amax[r], max |w[r, c]|)}.
   *
   * <p>Exact. Blocks with the same rows may follow each other; start with zeros.
   *
   * @param source a block of weights {@code [n, columns]}
   * @param columns the length of a row, at least 1
   * @param amax receives the result of the block's row {@code i} at {@code firstRow + i}
   * @param firstRow the number of the block's first row in the matrix
   * @throws NonFiniteValueException if a weight is NaN or infinite; the content of {@code amax} for
   *     this block is then unspecified
   * @throws IllegalArgumentException if the sizes do not match
   */
  public void amax(ByteBuffer source, int columns, float[] amax, int firstRow) {
    int rows = rows("source", source, columns, weights.bytes());
    checkRows("amax", amax, firstRow, rows);
    ByteBuffer in = littleEndian(source);
    spread(rows, columns, firstRow, tiles -> tiles.amax(in, amax));
  }

  /**
   * Returns the scale for weights of magnitude up to {@code amax}: the real value of one unit of
   * the code.
   *
   * <p>torchao: for int8 {@code max(amax / 127.5, 2^-23)}, for float8 {@code amax / max} with
   * {@code max} 448 for e4m3fn and 57344 for e5m2. The quotient is rounded half to even to the type
   * of the weights and is then exact in float32. Source: torchao 0.18, {@code
   * choose_qparams_affine} with symmetric mapping and {@code _choose_scale_float8}. Two float8
   * cases differ from torchao, whose codes are NaN there: {@code amax} 0 has scale 1, and where the
   * quotient is rounded to 0 it is taken in float32 instead, and is at least 2<sup>-149</sup>.
   *
   * <p>ONNX Runtime: {@code amax / max} with {@code max} 127, 448 or 57344, in float64, rounded to
   * the type of the weights; 1 where that is below 2<sup>-126</sup>, the smallest normal float32
   * (2<sup>-24</sup> for float16). Source: {@code compute_scale_zp} of onnxruntime.quantization
   * 1.32 with the range -127 to 127.
   *
   * @param amax the largest magnitude, finite, not negative and a value of the weights' type
   * @return the scale, finite and positive
   * @throws IllegalArgumentException if {@code amax} is negative, NaN or infinite
   */
  public float scale(float amax) {
    if (!(amax >= 0 && amax <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("amax must be finite and not negative, was " + amax);
    }
    return recipe.scale(weights, codes, amax);
  }

  /**
   * Quantizes rows with given scales.
   *
   * <p>int8: {@code q = clamp(rint(w * (1 / scale)), -128, 127)} for torchao, reciprocal and
   * product rounded to float32, and {@code q = clamp(rint(w / scale), -128, 127)} for ONNX Runtime.
   * float8: {@code q = cast(clamp(w / scale, -max, max))}. Quotients are rounded to float32; {@code
   * rint} and {@code cast} round half to even. Source: torchao 0.18, {@code _quantize_affine} and
   * {@code _quantize_affine_float8}; onnxruntime.quantization 1.32, {@code quantize_nparray}.
   *
   * @param source a block of weights {@code [n, columns]}
   * @param columns the length of a row, at least 1
   * @param scales contains the scale of the block's row {@code i} at {@code firstRow + i}, positive
   *     and finite
   * @param firstRow the number of the block's first row in the matrix
   * @param target receives {@code n * columns} codes from its position on
   * @throws NonFiniteValueException if a weight is NaN or infinite; the content of {@code target}
   *     is then unspecified
   * @throws IllegalArgumentException if the sizes do not match or a scale is not positive and
   *     finite, or has no finite reciprocal for int8
   */
  public void quantize(
      ByteBuffer source, int columns, float[] scales, int firstRow, ByteBuffer target) {
    int rows = rows("source", source, columns, weights.bytes());
    checkRows("scales", scales, firstRow, rows);
    checkScales(scales, firstRow, rows);
    checkRoom("target", target, rows * (long) columns);
    ByteBuffer in = littleEndian(source);
    ByteBuffer out = littleEndian(target);
    spread(rows, columns, firstRow, tiles -> tiles.quantize(in, (row, amax) -> scales[row], out));
  }

  /**
   * Computes each row's scale, stores it and quantizes the row with it.
   *
   * <p>The same as {@link #amax}, {@link #scale} and {@link #quantize} for each row, in one pass
   * over memory.
   *
   * @param source a block of weights {@code [n, columns]}
   * @param columns the length of a row, at least 1
   * @param scales receives the scale of the block's row {@code i} at {@code firstRow + i}
   * @param firstRow the number of the block's first row in the matrix
   * @param target receives {@code n * columns} codes from its position on
   * @throws NonFiniteValueException if a weight is NaN or infinite; the content of {@code scales}
   *     and {@code target} for this block is then unspecified
   * @throws IllegalArgumentException if the sizes do not match
   */
  public void quantizeRows(
      ByteBuffer source, int columns, float[] scales, int firstRow, ByteBuffer target) {
    int rows = rows("source", source, columns, weights.bytes());
    checkRows("scales", scales, firstRow, rows);
    checkRoom("target", target, rows * (long) columns);
    ByteBuffer in = littleEndian(source);
    ByteBuffer out = littleEndian(target);
    spread(
        rows,
        columns,
        firstRow,
        tiles -> tiles.quantize(in, (row, amax) -> scales[row] = scale(amax), out));
  }

  /**
   * Restores weights from codes: {@code v = q * scale}, rounded half to even to float32 and then to
   * the type of the weights.
   *
   * <p>Source: torchao 0.18, {@code dequantize_affine} and {@code _dequantize_affine_float8}.
   *
   * @param source a block of codes {@code [n, columns]}, one byte each
   * @param columns the length of a row, at least 1
   * @param scales contains the scale of the block's row {@code i} at {@code firstRow + i}
   * @param firstRow the number of the block's first row in the matrix
   * @param target receives {@code n * columns} values of {@link #weights()} from its position on,
   *     little-endian
   * @throws IllegalArgumentException if the sizes do not match
   */
  public void dequantize(
      ByteBuffer source, int columns, float[] scales, int firstRow, ByteBuffer target) {
    int rows = rows("source", source, columns, Byte.BYTES);
    checkRows("scales", scales, firstRow, rows);
    checkRoom("target", target, rows * (long) columns * weights.bytes());
    ByteBuffer in = littleEndian(source);
    ByteBuffer out = littleEndian(target);
    spread(rows, columns, firstRow, tiles -> tiles.dequantize(in, scales, out));
  }

  /**
   * Measures the error of the dequantized values {@code q * scale}, in float32.
   *
   * <p>The order of summation depends only on the sizes of matrix and block. The result does not
   * depend on the number of threads.
   *
   * @param source a block of weights {@code [n, columns]}
   * @param columns the length of a row, at least 1
   * @param scales contains the scale of the block's row {@code i} at {@code firstRow + i}
   * @param firstRow the number of the block's first row in the matrix
   * @param quantized the block's codes {@code [n, columns]}, one byte each
   * @return the error of this block
   * @throws IllegalArgumentException if the sizes do not match
   */
  public QuantizationError error(
      ByteBuffer source, int columns, float[] scales, int firstRow, ByteBuffer quantized) {
    int rows = rows("source", source, columns, weights.bytes());
    checkRows("scales", scales, firstRow, rows);
    if (quantized.remaining() != rows * columns) {
      throw new IllegalArgumentException(
          String.format(
              "quantized must have one byte for each of %d weights, but has %d",
              rows * columns, quantized.remaining()));
    }
    ByteBuffer in = littleEndian(source);
    ByteBuffer coded = littleEndian(quantized);
    QuantizationError[] errors = new QuantizationError[rows];
    Arrays.fill(errors, QuantizationError.NONE);
    spread(rows, columns, firstRow, tiles -> errors[tiles.from()] = tiles.error(in, coded, scales));
    return Arrays.stream(errors).reduce(QuantizationError.NONE, QuantizationError::plus);
  }

  /** A block whose channels alternate from element to element; one scale for each of them. */
  TiledColumns columns(int elements, int channels, int firstChannel) {
    return new TiledColumns(weights, recipe.coding(codes), channels, firstChannel, elements);
  }

  static ByteBuffer littleEndian(ByteBuffer buffer) {
    return buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int rows(String name, ByteBuffer block, int columns, int elementBytes) {
    if (columns < 1) {
      throw new IllegalArgumentException("columns must be at least 1, was " + columns);
    }
    long rowBytes = (long) columns * elementBytes;
    if (block.remaining() % rowBytes != 0) {
      throw new IllegalArgumentException(
          String.format(
              "%s must hold whole rows of %d bytes (%d columns of %d), but has %d bytes",
              name, rowBytes, columns, elementBytes, block.remaining()));
    }
    return (int) (block.remaining() / rowBytes);
  }

  private static void checkRows(String name, float[] array, int firstRow, int rows) {
    if (firstRow < 0 || rows > array.length - firstRow) {
      throw new IllegalArgumentException(
          String.format(
              "%s must reach over the rows from %d to before %d, but has %d entries",
              name, firstRow, (long) firstRow + rows, array.length));
    }
  }

  void checkScales(float[] scales, int firstRow, int rows) {
    for (int row = firstRow; row < firstRow + rows; row++) {
      float scale = scales[row];
      if (!(scale > 0 && scale <= Float.MAX_VALUE)) {
        throw new IllegalArgumentException(
            "The scale of row " + row + " must be positive and finite, was " + scale);
      }
      if (recipe == Recipe.TORCHAO && codes == QuantizedType.INT8 && Float.isInfinite(1 / scale)) {
        throw new IllegalArgumentException(
            "The int8 scale of row " + row + " must have a finite reciprocal, was " + scale);
      }
    }
  }

  private static void checkRoom(String name, ByteBuffer buffer, long bytes) {
    if (buffer.remaining() < bytes) {
      throw new IllegalArgumentException(
          String.format(
              "%s must have room for %d bytes, but has %d", name, bytes, buffer.remaining()));
    }
  }

  private void spread(int rows, int columns, int firstRow, Consumer<TiledRows> work) {
    RowBlocks.run(
        rows,
        Math.max(1, BLOCK_ELEMENTS / columns),
        executor,
        parallelism,
        (from, to) ->
            work.accept(new TiledRows(weights, recipe.coding(codes), columns, firstRow, from, to)));
  }
}
