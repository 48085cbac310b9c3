package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import java.nio.ByteBuffer;

/**
 * Integers of 4 bits with a zero point. With {@code min} and {@code max} of a group and of 0,
 * {@code scale = (max - min) / 15} and {@code zeroPoint = round(clamp(-8 - min / scale, -8, 7))},
 * each operation in the weight's type; {@code q = round(clamp(w / scale + zeroPoint, -8, 7))} in
 * float32, half to even. Source: compressed-tensors 0.20, {@code calculate_qparams} and the kernel
 * of {@code quantize}.
 */
final class AffineRows implements RowCodec {

  private static final int LOWEST = -8;
  private static final int HIGHEST = 7;

  private final Scheme scheme;
  private final int columns;
  private final FloatType type;
  private final ScaleType scaleType;
  private final boolean searches;

  AffineRows(Scheme scheme, FloatType type, int columns, boolean searches) {
    this.scheme = scheme;
    this.columns = columns;
    this.type = type;
    this.scaleType = ScaleType.ofWeight(type);
    this.searches = searches;
  }

  /** How codes are read: {@code (q - zeroPoint) * scale}. */
  private record Step(float scale, int zeroPoint) {

    float code(float value) {
      return (float)
          Math.rint(Math.max(LOWEST, Math.min(HIGHEST, value / scale + (float) zeroPoint)));
    }

    float restored(float code) {
      return (code - zeroPoint) * scale;
    }
  }

  @Override
  public Rows encode(ByteBuffer source, int rows) {
    float[] values = ScaleType.values(type, source);
    float[] restored = new float[values.length];
    int width = scheme.columnsOfScale(columns);
    byte[] codes = new byte[values.length];
    float[] scales = new float[values.length / width];
    byte[] zeroPoints = new byte[scales.length];
    for (int group = 0; group < scales.length; group++) {
      int from = group * width;
      Step step = step(values, from, from + width);
      scales[group] = step.scale();
      zeroPoints[group] = (byte) step.zeroPoint();
      for (int i = from; i < from + width; i++) {
        float code = step.code(values[i]);
        codes[i] = (byte) code;
        restored[i] = step.restored(code);
      }
    }
    return Rows.of(
        Packing.nibbles(codes, rows, columns),
        scaleType.bytes(scales),
        zeroPoints,
        QuantizationError.between(values, restored));
  }

  private Step step(float[] values, int from, int to) {
    float min = 0;
    float max = 0;
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new NonFiniteValueException(i, values[i]);
      }
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    Step spanning = step(min, max);
    if (!searches) {
      return spanning;
    }
    float lowest = min;
    float highest = max;
    float share =
        ScaleSearch.share(part -> error(values, from, to, step(lowest * part, highest * part)));
    return share == 1 ? spanning : step(min * share, max * share);
  }

  private Step step(float min, float max) {
    float distance = scaleType.round(max - min);
    float range = scaleType.round(distance / Numbers.UINT4.range());
    float offset = scaleType.round(LOWEST - scaleType.round(min / range));
    int zeroPoint =
        Float.isNaN(offset) ? 0 : (int) Math.rint(Math.max(LOWEST, Math.min(HIGHEST, offset)));
    return new Step(scaleType.scale(distance, Numbers.UINT4.range()), zeroPoint);
  }

  private static double error(float[] values, int from, int to, Step step) {
    double error = 0;
    for (int i = from; i < to; i++) {
      double difference = values[i] - step.restored(step.code(values[i]));
      error += difference * difference;
    }
    return error;
  }
}
