package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.RowQuantizer;
import java.nio.ByteBuffer;

/**
 * Integers and float8 without a zero point: {@code scale = amax / range} in the weight's type,
 * {@code q = clamp(round(w / scale))}, the quotient in float32, half to even. Source:
 * compressed-tensors 0.20, {@code calculate_qparams} and the kernel of {@code quantize}.
 */
final class SymmetricRows implements RowCodec {

  private static final int LOWEST_INT4 = -8;
  private static final int HIGHEST_INT4 = 7;

  private final Scheme scheme;
  private final int columns;
  private final FloatType type;
  private final ScaleType scaleType;
  private final QuantizedType codes;
  private final RowQuantizer quantizer;
  private final boolean searches;

  /**
   * For one weight.
   *
   * @param type the type of its values
   * @param scaleType the type of its scales
   */
  SymmetricRows(Scheme scheme, FloatType type, ScaleType scaleType, int columns, boolean searches) {
    this.scheme = scheme;
    this.columns = columns;
    this.type = type;
    this.scaleType = scaleType;
    this.codes = scheme.numbers() == Numbers.FP8 ? QuantizedType.FLOAT8_E4M3FN : QuantizedType.INT8;
    this.quantizer = RowQuantizer.onnxRuntime(type, codes);
    this.searches = searches;
  }

  @Override
  public Rows encode(ByteBuffer source, int rows) {
    int width = scheme.columnsOfScale(columns);
    int perRow = columns / width;
    float[] amax = new float[rows * perRow];
    quantizer.amax(source, width, amax, 0);
    float[] stored = scales(amax, rows, perRow);
    if (searches) {
      search(ScaleType.values(type, source), stored, perRow, width);
    }
    float[] scales = amax;
    for (int i = 0; i < scales.length; i++) {
      scales[i] = stored[scaleOf(i, perRow)];
    }
    ByteBuffer target = ByteBuffer.allocate(rows * columns);
    quantizer.quantize(source, width, scales, 0, target);
    byte[] quantized = target.array();
    if (scheme.numbers() == Numbers.INT4) {
      for (int i = 0; i < quantized.length; i++) {
        quantized[i] = (byte) Math.max(LOWEST_INT4, Math.min(HIGHEST_INT4, quantized[i]));
      }
    }
    return Rows.of(
        packed(quantized, rows),
        scaleType.bytes(stored),
        new byte[0],
        quantizer.error(source, width, scales, 0, target));
  }

  private byte[] packed(byte[] quantized, int rows) {
    if (!scheme.isPackedIntoWords()) {
      return quantized;
    }
    return scheme.numbers() == Numbers.INT4
        ? Packing.nibbles(quantized, rows, columns)
        : Packing.bytes(quantized, rows, columns);
  }

  /** Which scale a part of a row has. */
  private int scaleOf(int part, int perRow) {
    return part / perRow / scheme.rowsOfScale() * perRow + part % perRow;
  }

  private float[] scales(float[] amax, int rows, int perRow) {
    int together = scheme.rowsOfScale();
    float[] largest = new float[(rows + together - 1) / together * perRow];
    for (int i = 0; i < amax.length; i++) {
      int scale = scaleOf(i, perRow);
      largest[scale] = Math.max(largest[scale], amax[i]);
    }
    for (int i = 0; i < largest.length; i++) {
      largest[i] = scaleType.scale(largest[i], scheme.numbers().range());
    }
    return largest;
  }

  private void search(float[] values, float[] scales, int perRow, int width) {
    int parts = values.length / width;
    for (int scale = 0; scale < scales.length; scale++) {
      int first = scale / perRow * scheme.rowsOfScale() * perRow + scale % perRow;
      int end = Math.min(parts, first + scheme.rowsOfScale() * perRow);
      float spanning = scales[scale];
      float share =
          ScaleSearch.share(
              part -> {
                float tried = scaleType.scale(spanning * part, 1);
                double error = 0;
                for (int i = first; i < end; i += perRow) {
                  error += error(values, i * width, (i + 1) * width, tried);
                }
                return error;
              });
      scales[scale] = scaleType.scale(spanning * share, 1);
    }
  }

  private double error(float[] values, int from, int to, float scale) {
    double error = 0;
    if (codes == QuantizedType.FLOAT8_E4M3FN) {
      for (int i = from; i < to; i++) {
        double difference = values[i] - codes.decode(codes.encode(values[i] / scale)) * scale;
        error += difference * difference;
      }
      return error;
    }
    float lowest = scheme.numbers() == Numbers.INT4 ? LOWEST_INT4 : Byte.MIN_VALUE;
    float highest = scheme.numbers() == Numbers.INT4 ? HIGHEST_INT4 : Byte.MAX_VALUE;
    for (int i = from; i < to; i++) {
      float code = (float) Math.rint(Math.max(lowest, Math.min(highest, values[i] / scale)));
      double difference = values[i] - code * scale;
      error += difference * difference;
    }
    return error;
  }
}
