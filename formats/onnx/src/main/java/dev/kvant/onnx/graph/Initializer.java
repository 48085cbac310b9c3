package dev.kvant.onnx.graph;

import dev.kvant.onnx.proto.TensorProto;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A named constant of a graph. What a file says about it that is not named here stays with it.
 *
 * @since 0.1.0
 */
public final class Initializer {

  private final TensorProto header;
  private final @Nullable StoredTensor tensor;

  private Initializer(TensorProto header, @Nullable StoredTensor tensor) {
    this.header = header;
    this.tensor = tensor;
  }

  /**
   * A constant as a file has it.
   *
   * @param rawData where its bytes are in the model's file, or {@link RawData#NONE}
   */
  static Initializer of(TensorProto proto, long rawData, ExternalData files) {
    if (proto.getDataType() == DataType.STRING.number()) {
      return new Initializer(proto, null);
    }
    TensorProto header =
        proto.toBuilder()
            .clearRawData()
            .clearFloatData()
            .clearDoubleData()
            .clearInt32Data()
            .clearInt64Data()
            .clearUint64Data()
            .clearExternalData()
            .clearDataLocation()
            .build();
    return new Initializer(header, StoredTensor.of(proto, rawData, files));
  }

  /** A new constant. */
  public static Initializer of(StoredTensor tensor) {
    return new Initializer(tensor.header(), tensor);
  }

  /** Its name. */
  public String name() {
    return header.getName();
  }

  /** Its shape, type and bytes; empty for text. */
  public Optional<StoredTensor> tensor() {
    return Optional.ofNullable(tensor);
  }

  /** The message that describes it, without its bytes unless it is text. */
  TensorProto header() {
    return header;
  }

  /** The message with its bytes. */
  TensorProto toProto() {
    return tensor == null
        ? header
        : header.toBuilder().setRawData(tensor.toProto().getRawData()).build();
  }
}
