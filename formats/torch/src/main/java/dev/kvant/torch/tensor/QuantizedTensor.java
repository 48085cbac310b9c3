package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.RowQuantizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tensor that is stored as 8-bit codes with a scale for each row, and read dequantized: {@code
 * code · scale}, computed in float32 and rounded to the original type.
 *
 * <p>A row is everything that one index of the first dimension selects.
 *
 * @since 0.1.0
 */
public final class QuantizedTensor implements StoredTensor {

  private final DenseTensor codes;
  private final DenseTensor scales;
  private final ElementType elementType;
  private final RowQuantizer quantizer;

  private QuantizedTensor(
      DenseTensor codes, DenseTensor scales, ElementType elementType, RowQuantizer quantizer) {
    this.codes = codes;
    this.scales = scales;
    this.elementType = elementType;
    this.quantizer = quantizer;
  }

  /**
   * A tensor of codes and scales.
   *
   * @param what its name for messages, as in {@code tensor 'weight' of model.pth}
   * @param codes int8, float8_e4m3fn or float8_e5m2, of two dimensions or more
   * @param scales float32, one for each row: shape {@code [rows, 1, …]}
   * @param elementType the original type: float32, float16 or bfloat16
   * @throws ModelFormatException if they do not match
   */
  public static QuantizedTensor of(
      String what, DenseTensor codes, DenseTensor scales, ElementType elementType) {
    if (codes.shape().isEmpty()
        || !scales.elementType().equals(ElementType.FLOAT32)
        || !scales.shape().equals(rowScales(codes.shape()))) {
      throw new ModelFormatException(
          "%s has codes of shape %s with %s scales of shape %s; expected one float32 scale for each row"
              .formatted(what, codes.shape(), scales.elementType(), scales.shape()));
    }
    return new QuantizedTensor(
        codes,
        scales,
        elementType,
        RowQuantizer.torchao(original(what, elementType), type(what, codes.elementType())));
  }

  private static List<Long> rowScales(List<Long> shape) {
    Long[] scales = new Long[shape.size()];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = i == 0 ? shape.get(0) : Long.valueOf(1);
    }
    return List.of(scales);
  }

  private static QuantizedType type(String what, ElementType codes) {
    return QuantizedType.find(codes.label())
        .orElseThrow(
            () -> new ModelFormatException("%s is quantized to unknown %s".formatted(what, codes)));
  }

  private static FloatType original(String what, ElementType elementType) {
    return FloatType.find(elementType.label())
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s was quantized from %s, which is not supported"
                        .formatted(what, elementType)));
  }

  /** The 8-bit codes. */
  public DenseTensor codes() {
    return codes;
  }

  /** The real value of one unit of the code, for each row. */
  public DenseTensor scales() {
    return scales;
  }

  @Override
  public ElementType elementType() {
    return elementType;
  }

  @Override
  public List<Long> shape() {
    return codes.shape();
  }

  @Override
  public String identity() {
    return codes.identity();
  }

  @Override
  public List<TensorStorage> storages() {
    return List.of(codes.storage(), scales.storage());
  }

  @Override
  public void read(long firstElement, ByteBuffer target) {
    int size = elementType.bytes();
    int count = ElementRange.count(this, firstElement, target);
    if (count == 0) {
      return;
    }
    ByteBuffer block = ByteBuffer.allocate(count);
    codes.read(firstElement, block);
    block.flip();
    long columns = elements() / shape().get(0);
    for (long element = firstElement; block.hasRemaining(); ) {
      long row = element / columns;
      long within = element % columns;
      // The rest of a row, or all whole rows.
      int rows = within == 0 ? (int) Math.max(1, block.remaining() / columns) : 1;
      int length = (int) Math.min(rows * columns - within, block.remaining());
      ByteBuffer part = block.slice(block.position(), length);
      quantizer.dequantize(
          part, length / rows, scales(row, rows), 0, target.slice().order(ByteOrder.LITTLE_ENDIAN));
      block.position(block.position() + length);
      target.position(target.position() + length * size);
      element += length;
    }
  }

  private float[] scales(long firstRow, int rows) {
    ByteBuffer bytes = ByteBuffer.allocate(rows * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    scales.read(firstRow, bytes);
    var values = new float[rows];
    bytes.flip().asFloatBuffer().get(values);
    return values;
  }

  @Override
  public String toString() {
    return "%s%s in %s".formatted(elementType, shape(), codes.elementType());
  }
}
