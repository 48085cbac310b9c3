package dev.kvant.tck;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.TensorDescription;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/** The values of a line of a {@link ToyModel}. */
final class ToyTensor implements ModelTensor {

  private static final int FIRST_VALUE = 4;

  private final String[] line;
  private final TensorDescription description;
  private final FormatDefect defect;

  ToyTensor(String[] line, TensorDescription description, FormatDefect defect) {
    this.line = line.clone();
    this.description = description;
    this.defect = defect;
  }

  @Override
  public ElementType elementType() {
    return defect == FormatDefect.TENSOR_OF_ANOTHER_TYPE
        ? ElementType.UINT8
        : description.elementType();
  }

  @Override
  public List<Long> shape() {
    return description.shape();
  }

  @Override
  public String identity() {
    return description.storage();
  }

  @Override
  public void read(long firstElement, ByteBuffer target) {
    int count = target.remaining() / elementType().bytes();
    if (defect != FormatDefect.READS_BEHIND_THE_END) {
      Objects.checkFromIndexSize(firstElement, (long) count, elements());
    }
    ByteOrder given = target.order();
    if (defect != FormatDefect.READS_BIG_ENDIAN) {
      target.order(ByteOrder.LITTLE_ENDIAN);
    }
    for (int i = 0; i < count; i++) {
      long element = defect == FormatDefect.READS_FROM_THE_START ? i : firstElement + i;
      put(line[FIRST_VALUE + (int) element % (line.length - FIRST_VALUE)], target);
    }
    target.order(given);
  }

  private void put(String value, ByteBuffer target) {
    switch (elementType().label()) {
      case "float32" -> target.putFloat(Float.parseFloat(value));
      case "int64" -> target.putLong(Long.parseLong(value));
      default -> target.put((byte) Double.parseDouble(value));
    }
  }
}
