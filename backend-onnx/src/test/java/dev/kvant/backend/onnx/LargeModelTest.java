package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A weight of more than 2 GB, and one that begins behind 4 GB. Their file is a hole but for a few
 * values, so that it takes no room where the file system knows holes.
 */
@DisplayName("An ONNX model above 2 GB")
class LargeModelTest {

  /** ONNX's number of float32. */
  private static final int FLOAT = 1;

  private static final long ROWS = 132_000;
  private static final long COLUMNS = 4096;
  private static final long ELEMENTS = ROWS * COLUMNS;
  private static final long BEHIND_4_GB = (4L << 30) + 4096;

  @TempDir private Path folder;

  @Test
  void is_quantized_from_its_external_data() throws IOException {
    assertThat(ELEMENTS * Float.BYTES).isGreaterThan(Integer.MAX_VALUE);
    Path model = write();

    List<Artifact> artifacts =
        Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
            .run(model, folder.resolve("out"))
            .artifacts();

    assertThat(artifacts).hasSize(1);
    try (QuantizableModel source = new OnnxFormat().open(model);
        OnnxFile file = OnnxFile.open(artifacts.get(0).path())) {
      assertThat(source.tensorBytes()).isEqualTo((ELEMENTS + ROWS) * Float.BYTES);
      Content large = codes(file, List.of(ROWS, COLUMNS));
      assertThat(large.bytes()).isEqualTo(ELEMENTS);
      // The last row: zeros, then half of its greatest magnitude, then that itself.
      assertThat(large.read(ELEMENTS - 3, 3)).isEqualTo(ByteBuffer.wrap(new byte[] {0, 64, -127}));
      assertThat(codes(file, List.of(1L, ROWS)).read(ROWS - 2, 2))
          .isEqualTo(ByteBuffer.wrap(new byte[] {0, 127}));
    }
  }

  private static Content codes(OnnxFile file, List<Long> dims) {
    return file.load().graph().initializers().values().stream()
        .flatMap(initializer -> initializer.tensor().stream())
        .filter(tensor -> tensor.dims().equals(dims))
        .map(StoredTensor::content)
        .findFirst()
        .orElseThrow();
  }

  /** Two products in a row, a model of a few hundred bytes beside a file of more than 4 GB. */
  private Path write() throws IOException {
    try (FileChannel data =
        FileChannel.open(
            folder.resolve("model.data"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      data.write(floats(0.5f, -1), (ELEMENTS - 2) * Float.BYTES);
      data.write(floats(3), BEHIND_4_GB + (ROWS - 1) * Float.BYTES);
    }
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("large")
            .addInput(value("x", COLUMNS))
            .addNode(product("large", "x", "y"))
            .addNode(product("far", "y", "z"))
            .addInitializer(weight("large", 0, ROWS, COLUMNS))
            .addInitializer(weight("far", BEHIND_4_GB, 1, ROWS))
            .addOutput(value("z", 1))
            .build();
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(9)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    return Files.write(folder.resolve("model.onnx"), model.toByteArray());
  }

  private static ByteBuffer floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private static ValueInfoProto value(String name, long width) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(FLOAT)
                        .setShape(
                            TensorShapeProto.newBuilder()
                                .addDim(
                                    TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                                .addDim(
                                    TensorShapeProto.Dimension.newBuilder().setDimValue(width)))))
        .build();
  }

  private static NodeProto product(String weight, String input, String output) {
    return NodeProto.newBuilder()
        .setName(weight)
        .setOpType("Gemm")
        .addInput(input)
        .addInput(weight)
        .addOutput(output)
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("transB")
                .setType(AttributeProto.AttributeType.INT)
                .setI(1))
        .build();
  }

  private static TensorProto weight(String name, long offset, long rows, long columns) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(FLOAT)
        .addDims(rows)
        .addDims(columns)
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", "model.data"))
        .addExternalData(entry("offset", String.valueOf(offset)))
        .addExternalData(entry("length", String.valueOf(rows * columns * Float.BYTES)))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
