package dev.kvant.backend.onnx;

import com.google.protobuf.ByteString;
import dev.kvant.numerics.Float16;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A small graph that a test makes itself. */
final class TestGraph {

  static final int FLOAT = 1;
  static final int INT64 = 7;
  static final int FLOAT16 = 10;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("g");
  private long opset = 17;
  private long irVersion = 8;

  /** Sets the version of the operators. */
  TestGraph opset(long version) {
    this.opset = version;
    return this;
  }

  /** Sets the version of the format. */
  TestGraph irVersion(long version) {
    this.irVersion = version;
    return this;
  }

  /** Adds a float32 input; a dimension that is negative is free. */
  TestGraph input(String name, long... dims) {
    return inputOf(FLOAT, name, dims);
  }

  /** Adds an input of any type. */
  TestGraph inputOf(int type, String name, long... dims) {
    graph.addInput(value(name, type, dims));
    return this;
  }

  /** Adds a float32 output. */
  TestGraph output(String name, long... dims) {
    return outputOf(FLOAT, name, dims);
  }

  /** Adds an output of any type. */
  TestGraph outputOf(int type, String name, long... dims) {
    graph.addOutput(value(name, type, dims));
    return this;
  }

  private static ValueInfoProto value(String name, int type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dimension : dims) {
      shape.addDim(
          dimension < 0
              ? TensorShapeProto.Dimension.newBuilder().setDimParam("n")
              : TensorShapeProto.Dimension.newBuilder().setDimValue(dimension));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }

  /** Adds a node that is named as its only output. */
  TestGraph node(String opType, List<String> inputs, String output, AttributeProto... attributes) {
    return node(opType, output, inputs, List.of(output), attributes);
  }

  TestGraph node(
      String opType,
      String name,
      List<String> inputs,
      List<String> outputs,
      AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(opType)
            .setName(name)
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(List.of(attributes)));
    return this;
  }

  static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setI(value)
        .setType(AttributeProto.AttributeType.INT)
        .build();
  }

  static AttributeProto attribute(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setF(value)
        .setType(AttributeProto.AttributeType.FLOAT)
        .build();
  }

  static AttributeProto attribute(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setS(ByteString.copyFromUtf8(value))
        .setType(AttributeProto.AttributeType.STRING)
        .build();
  }

  static AttributeProto attribute(String name, List<Long> values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .addAllInts(values)
        .setType(AttributeProto.AttributeType.INTS)
        .build();
  }

  static AttributeProto attribute(String name, float[] values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.FLOATS);
    for (float value : values) {
      attribute.addFloats(value);
    }
    return attribute.build();
  }

  static AttributeProto attribute(String name, TestGraph body) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setG(body.graph)
        .setType(AttributeProto.AttributeType.GRAPH)
        .build();
  }

  /** Adds a constant of normally distributed numbers. */
  TestGraph random(String name, long... dims) {
    return random(name, 1, dims);
  }

  TestGraph random(String name, double scale, long... dims) {
    return floats(name, List.of(dimensions(dims)), values(name, scale, dims));
  }

  private static Long[] dimensions(long... dims) {
    Long[] boxed = new Long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      boxed[i] = dims[i];
    }
    return boxed;
  }

  /** Normally distributed numbers, the same for the same name. */
  static float[] values(String name, double scale, long... dims) {
    int elements = 1;
    for (long dimension : dims) {
      elements *= (int) dimension;
    }
    Random random = new Random(name.hashCode());
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) (random.nextGaussian() * scale);
    }
    return values;
  }

  /** Adds a float32 constant. */
  TestGraph floats(String name, List<Long> dims, float... values) {
    ByteBuffer bytes = room(values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return constant(name, FLOAT, dims, bytes);
  }

  /** Adds a float16 constant. */
  TestGraph halves(String name, List<Long> dims, float... values) {
    ByteBuffer bytes = room(values.length * Short.BYTES);
    for (float value : values) {
      bytes.putShort(Float16.fromFloat(value));
    }
    return constant(name, FLOAT16, dims, bytes.flip());
  }

  /** Adds a list of integers. */
  TestGraph integers(String name, long... values) {
    ByteBuffer bytes = room(values.length * Long.BYTES);
    bytes.asLongBuffer().put(values);
    return constant(name, INT64, List.of((long) values.length), bytes);
  }

  /** Adds a constant of any type. */
  TestGraph constant(String name, int type, List<Long> dims, ByteBuffer bytes) {
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(type)
            .addAllDims(dims)
            .setRawData(ByteString.copyFrom(bytes)));
    return this;
  }

  private static ByteBuffer room(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes it as {@code model.onnx} into a folder. */
  Path write(Path folder) {
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(irVersion)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .addOpsetImport(
                OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1))
            .setGraph(graph)
            .build();
    try {
      return Files.write(folder.resolve("model.onnx"), model.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
