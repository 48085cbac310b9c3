package dev.kvant.backend.compressedtensors;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.tck.StoredValues;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Restores weights from what a checkpoint stores, apart from the code that wrote it. */
final class Stored {

  private static final float[] FLOAT4 = {
    0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6
  };

  private final QuantizableModel model;
  private final String weight;

  Stored(QuantizableModel model, String module) {
    this.model = model;
    this.weight = module + ".weight";
  }

  boolean has(String suffix) {
    return model.tensors().containsKey(weight + suffix);
  }

  ModelTensor tensor(String suffix) {
    return Objects.requireNonNull(model.tensors().get(weight + suffix), weight + suffix);
  }

  /** The values {@code (q - z) * s}. */
  float[] restored() {
    if (has("_shape")) {
      return packed();
    }
    if (has("_packed") || has("_scale_2")) {
      return float4();
    }
    ModelTensor codes = tensor("");
    int columns = Math.toIntExact(codes.shape().get(1));
    ModelTensor scales = tensor("_scale");
    int perRow = scales.shape().size() == 1 ? 1 : Math.toIntExact(scales.shape().get(1));
    int rowsOfScale = perRow == 1 && scales.shape().get(0).equals(codes.shape().get(0)) ? 1 : 128;
    float[] values = StoredValues.floats(codes);
    float[] all = StoredValues.floats(scales);
    int width = rowsOfScale == 1 ? columns : 128;
    for (int i = 0; i < values.length; i++) {
      values[i] *= all[i / columns / rowsOfScale * perRow + i % columns / width];
    }
    return values;
  }

  private float[] packed() {
    ByteBuffer shape = StoredValues.bytes(tensor("_shape"));
    int rows = (int) shape.getLong(0);
    int columns = (int) shape.getLong(Long.BYTES);
    ByteBuffer words = StoredValues.bytes(tensor("_packed"));
    int perRow = Math.toIntExact(tensor("_packed").shape().get(1));
    int bits = columns * 4 > perRow * 16 ? 4 : 8;
    float[] scales = StoredValues.floats(tensor("_scale"));
    int groups = scales.length / rows;
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      int row = i / columns;
      int column = i % columns;
      int inWord = Integer.SIZE / bits;
      int word = words.getInt((row * perRow + column / inWord) * Integer.BYTES);
      int code = ((word >>> (column % inWord * bits)) & ((1 << bits) - 1)) - (1 << (bits - 1));
      int group = column * groups / columns;
      values[i] = (code - zeroPoint(row, group, groups)) * scales[row * groups + group];
    }
    return values;
  }

  private int zeroPoint(int row, int group, int groups) {
    if (!has("_zero_point")) {
      return 0;
    }
    ByteBuffer words = StoredValues.bytes(tensor("_zero_point"));
    int word = words.getInt((row / 8 * groups + group) * Integer.BYTES);
    return ((word >>> (row % 8 * 4)) & 15) - 8;
  }

  private float[] float4() {
    ByteBuffer pairs = StoredValues.bytes(tensor(has("_packed") ? "_packed" : ""));
    float[] scales = StoredValues.floats(tensor("_scale"));
    float[] values = new float[2 * pairs.limit()];
    boolean isScaled = has("_global_scale");
    float factor = has("_scale_2") ? StoredValues.floats(tensor("_scale_2"))[0] : 0;
    float divisor = isScaled ? StoredValues.floats(tensor("_global_scale"))[0] : 1;
    int width = values.length / scales.length;
    for (int i = 0; i < values.length; i++) {
      float scale = scales[i / width];
      float unit =
          factor > 0
              ? scale * factor
              : isScaled ? scale / divisor : Math.scalb(1f, (int) scale - 127);
      values[i] = FLOAT4[(pairs.get(i / 2) >>> (i % 2 * 4)) & 15] * unit;
    }
    return values;
  }
}
