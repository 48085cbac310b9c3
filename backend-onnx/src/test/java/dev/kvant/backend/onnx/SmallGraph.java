package dev.kvant.backend.onnx;

import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.Float16;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import dev.kvant.onnx.runtime.RuntimeSession;
import dev.kvant.onnx.runtime.RuntimeSessions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/** A graph of a few nodes that a test writes itself, and how far another one is from it. */
final class SmallGraph {

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("small");
  private final DataType type;
  private int opset = 17;

  private SmallGraph(DataType type) {
    this.type = type;
  }

  static SmallGraph ofFloats() {
    return new SmallGraph(DataType.FLOAT);
  }

  static SmallGraph ofHalves() {
    return new SmallGraph(DataType.FLOAT16);
  }

  SmallGraph opset(int version) {
    opset = version;
    return this;
  }

  /** An input; a dimension of -1 is that of the samples. */
  SmallGraph input(String name, long... dims) {
    graph.addInput(value(name, type, dims));
    return this;
  }

  SmallGraph indices(String name, long... dims) {
    graph.addInput(value(name, DataType.INT64, dims));
    return this;
  }

  SmallGraph output(String name, long... dims) {
    graph.addOutput(value(name, type, dims));
    return this;
  }

  SmallGraph constant(String name, float[] values, long... dims) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.number());
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    tensor.setRawData(com.google.protobuf.ByteString.copyFrom(bytes(type, values)));
    graph.addInitializer(tensor);
    return this;
  }

  /** A constant vector of int64. */
  SmallGraph longs(String name, long... values) {
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(DataType.INT64.number())
            .addDims(values.length)
            .addAllInt64Data(Arrays.stream(values).boxed().toList()));
    return this;
  }

  SmallGraph node(String operator, String name, List<String> inputs, String output) {
    return node(operator, name, inputs, output, Map.of());
  }

  /** A node with attributes that are integers or numbers. */
  SmallGraph node(
      String operator,
      String name,
      List<String> inputs,
      String output,
      Map<String, ? extends Number> attributes) {
    NodeProto.Builder node =
        NodeProto.newBuilder()
            .setOpType(operator)
            .setName(name)
            .addAllInput(inputs)
            .addOutput(output);
    attributes.forEach(
        (key, value) -> {
          AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(key);
          node.addAttribute(
              value instanceof Integer number
                  ? attribute.setType(AttributeProto.AttributeType.INT).setI(number)
                  : attribute.setType(AttributeProto.AttributeType.FLOAT).setF(value.floatValue()));
        });
    graph.addNode(node);
    return this;
  }

  Path write(Path folder) {
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .setGraph(graph)
            .build();
    try {
      return Files.write(folder.resolve("model.onnx"), model.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ValueInfoProto value(String name, DataType type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      TensorShapeProto.Dimension.Builder dimension = TensorShapeProto.Dimension.newBuilder();
      shape.addDim(dim < 0 ? dimension.setDimParam("n") : dimension.setDimValue(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.number()).setShape(shape)))
        .build();
  }

  private static byte[] bytes(DataType type, float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) type.bytes(values.length)).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      if (type == DataType.FLOAT) {
        bytes.putFloat(value);
      } else {
        bytes.putShort(Float16.fromFloat(value));
      }
    }
    return bytes.array();
  }

  /** Normally distributed numbers. */
  static float[] normal(long seed, int count, double scale) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * scale);
    }
    return values;
  }

  static float[] magnitudes(float[] values) {
    float[] magnitudes = values.clone();
    for (int i = 0; i < values.length; i++) {
      magnitudes[i] = Math.abs(values[i]);
    }
    return magnitudes;
  }

  /** A tensor as the graph's inputs take it. */
  Tensor tensor(float[] values, long... dims) {
    List<Long> shape = new ArrayList<>();
    for (long dim : dims) {
      shape.add(dim);
    }
    return Tensor.of(
        type == DataType.FLOAT ? ElementType.FLOAT32 : ElementType.FLOAT16,
        shape,
        ByteBuffer.wrap(bytes(type, values)));
  }

  /** A batch with one input. */
  TensorBatch batch(float[] values, long... dims) {
    return new TensorBatch(Map.of("x", tensor(values, dims)));
  }

  /**
   * The least signal-to-noise ratio of all outputs against the source in decibels, with ONNX
   * Runtime's optimizations of the other model off and on; 200 if they are equal.
   */
  static double sqnr(Path source, Path other, TensorBatch batch) {
    Map<String, float[]> right;
    try (RuntimeSession session = RuntimeSessions.open(source, Device.CPU)) {
      right = outputs(session, batch);
    }
    double least = 200;
    try (RuntimeSession session = RuntimeSessions.open(other, Device.CPU)) {
      least = Math.min(least, sqnr(right, outputs(session, batch)));
    }
    try (OnnxFile file = OnnxFile.open(other);
        RuntimeSession session = RuntimeSessions.openUnoptimized(file.load())) {
      least = Math.min(least, sqnr(right, outputs(session, batch)));
    }
    return least;
  }

  private static Map<String, float[]> outputs(RuntimeSession session, TensorBatch batch) {
    Map<String, float[]> outputs = new LinkedHashMap<>();
    session.run(
        batch,
        session.outputs(),
        (name, tensor) -> {
          FloatBuffer values =
              FloatValues.of(
                  tensor.elementType().equals(ElementType.FLOAT16)
                      ? DataType.FLOAT16
                      : DataType.FLOAT,
                  tensor.data());
          float[] copy = new float[values.remaining()];
          values.get(copy);
          outputs.put(name, copy);
        });
    return outputs;
  }

  private static double sqnr(Map<String, float[]> right, Map<String, float[]> other) {
    double least = 200;
    for (Map.Entry<String, float[]> output : right.entrySet()) {
      least =
          Math.min(
              least,
              sqnr(
                  output.getValue(),
                  Objects.requireNonNull(other.get(output.getKey()), output.getKey())));
    }
    return least;
  }

  private static double sqnr(float[] right, float[] other) {
    double signal = 0;
    double noise = 0;
    for (int i = 0; i < right.length; i++) {
      signal += (double) right[i] * right[i];
      noise += Math.pow((double) right[i] - other[i], 2);
    }
    return noise == 0 ? 200 : 10 * Math.log10(signal / noise);
  }
}
