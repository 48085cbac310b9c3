package dev.kvant.onnx.graph;

import com.google.protobuf.ByteString;
import dev.kvant.api.ModelFormatException;
import dev.kvant.onnx.proto.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/**
 * A constant of a graph: shape and type, and its bytes where they are.
 *
 * @param name its name
 * @param type the type of its elements
 * @param dims its dimensions, outermost first; empty for a scalar
 * @param content its bytes
 * @since 0.1.0
 */
public record StoredTensor(String name, DataType type, List<Long> dims, Content content) {

  /** So many that their bits can still be counted. */
  private static final long MOST_ELEMENTS = Long.MAX_VALUE >> 8;

  public StoredTensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    dims = List.copyOf(dims);
    Objects.requireNonNull(content, "content");
    long bytes = type.bytes(elements(name, dims));
    if (content.bytes() != bytes) {
      throw new ModelFormatException(
          "tensor '%s' of type %s and shape %s takes %d bytes, but has %d"
              .formatted(name, type, dims, bytes, content.bytes()));
    }
  }

  /**
   * A tensor as a file has it.
   *
   * @param rawData where its bytes are in the model's file, or {@link RawData#NONE}
   * @throws ModelFormatException if its bytes are missing or not as many as its shape asks for
   */
  static StoredTensor of(TensorProto proto, long rawData, ExternalData files) {
    DataType type =
        DataType.of(proto.getDataType())
            .orElseThrow(
                () ->
                    new ModelFormatException(
                        "tensor '%s' has the unknown type %d"
                            .formatted(proto.getName(), proto.getDataType())));
    long elements = elements(proto.getName(), proto.getDimsList());
    Content content;
    if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      content = new ExternalContent(files, files.locate(proto, type.bytes(elements)));
    } else if (proto.hasRawData()) {
      ByteBuffer bytes = proto.getRawData().asReadOnlyByteBuffer();
      content =
          rawData == RawData.NONE
              ? new InMemoryContent(bytes)
              : new MappedContent(bytes, files.inModel(rawData, bytes.remaining()));
    } else {
      content = new InMemoryContent(fromFields(proto, type));
    }
    return new StoredTensor(proto.getName(), type, proto.getDimsList(), content);
  }

  private static ByteBuffer fromFields(TensorProto proto, DataType type) {
    ByteBuffer bytes;
    switch (type) {
      case FLOAT, COMPLEX64 -> {
        bytes = room(proto.getFloatDataCount(), Float.BYTES);
        proto.getFloatDataList().forEach(bytes::putFloat);
      }
      case DOUBLE, COMPLEX128 -> {
        bytes = room(proto.getDoubleDataCount(), Double.BYTES);
        proto.getDoubleDataList().forEach(bytes::putDouble);
      }
      case INT64 -> {
        bytes = room(proto.getInt64DataCount(), Long.BYTES);
        proto.getInt64DataList().forEach(bytes::putLong);
      }
      case UINT64 -> {
        bytes = room(proto.getUint64DataCount(), Long.BYTES);
        proto.getUint64DataList().forEach(bytes::putLong);
      }
      case UINT32 -> {
        bytes = room(proto.getUint64DataCount(), Integer.BYTES);
        proto.getUint64DataList().forEach(value -> bytes.putInt(value.intValue()));
      }
      case INT32 -> {
        bytes = room(proto.getInt32DataCount(), Integer.BYTES);
        proto.getInt32DataList().forEach(bytes::putInt);
      }
      case INT16, UINT16, FLOAT16, BFLOAT16 -> {
        bytes = room(proto.getInt32DataCount(), Short.BYTES);
        proto.getInt32DataList().forEach(value -> bytes.putShort(value.shortValue()));
      }
      default -> {
        bytes = room(proto.getInt32DataCount(), 1);
        proto.getInt32DataList().forEach(value -> bytes.put(value.byteValue()));
      }
    }
    return bytes.flip();
  }

  private static ByteBuffer room(int elements, int size) {
    return ByteBuffer.allocate(Math.multiplyExact(elements, size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A small tensor of those bytes, little-endian. */
  public static StoredTensor of(String name, DataType type, List<Long> dims, ByteBuffer bytes) {
    return new StoredTensor(name, type, dims, new InMemoryContent(bytes));
  }

  /** A float32 tensor of those values. */
  public static StoredTensor ofFloats(String name, List<Long> dims, float... values) {
    ByteBuffer bytes = room(values.length, Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return of(name, DataType.FLOAT, dims, bytes);
  }

  /** An int64 tensor of those values. */
  public static StoredTensor ofLongs(String name, List<Long> dims, long... values) {
    ByteBuffer bytes = room(values.length, Long.BYTES);
    bytes.asLongBuffer().put(values);
    return of(name, DataType.INT64, dims, bytes);
  }

  private static long elements(String name, List<Long> dims) {
    long elements = 1;
    for (long dimension : dims) {
      if (dimension < 0 || (dimension > 0 && elements > MOST_ELEMENTS / dimension)) {
        throw new ModelFormatException(
            "tensor '%s' has the shape %s, which no tensor can have".formatted(name, dims));
      }
      elements *= dimension;
    }
    return elements;
  }

  /** Number of elements: the product of the dimensions, 1 for a scalar. */
  public long elements() {
    return elements(name, dims);
  }

  /** The same tensor under another name. */
  public StoredTensor renamed(String newName) {
    return new StoredTensor(newName, type, dims, content);
  }

  /** What a file says of it beside its bytes. */
  TensorProto header() {
    return TensorProto.newBuilder()
        .addAllDims(dims)
        .setDataType(type.number())
        .setName(name)
        .build();
  }

  /**
   * The tensor as a message that holds its bytes.
   *
   * @throws ArithmeticException if it has 2 GB or more
   */
  TensorProto toProto() {
    ByteString.Output bytes = ByteString.newOutput(Math.toIntExact(content.bytes()));
    content.forEachBlock(
        (from, block) -> {
          byte[] array = new byte[block.remaining()];
          block.get(array);
          bytes.write(array, 0, array.length);
        });
    return header().toBuilder().setRawData(bytes.toByteString()).build();
  }
}
