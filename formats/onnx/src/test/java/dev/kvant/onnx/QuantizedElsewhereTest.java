package dev.kvant.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvant.api.ModuleDescription;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("An ONNX file that a tool has quantized")
class QuantizedElsewhereTest {

  private static final int FLOAT = 1;
  private static final int UINT8 = 2;
  private static final int INT8 = 3;

  @TempDir private Path folder;

  private static NodeProto.Builder node(String type, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setName(output)
        .addOutput(output)
        .addAllInput(List.of(inputs));
  }

  private static TensorProto constant(String name, int type, int bytes, long... dims) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(type)
            .setRawData(ByteString.copyFrom(new byte[bytes]));
    for (long dimension : dims) {
      tensor.addDims(dimension);
    }
    return tensor.build();
  }

  private OnnxModelFile open(String producer, NodeProto.Builder... nodes) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("g")
            .addInput(ValueInfoProto.newBuilder().setName("x"))
            .addOutput(ValueInfoProto.newBuilder().setName("y"))
            .addInitializer(constant("w", FLOAT, 24, 2, 3))
            .addInitializer(constant("codes", INT8, 6, 2, 3))
            .addInitializer(constant("bytes", UINT8, 6, 2, 3))
            .addInitializer(constant("scale", FLOAT, 4))
            .addInitializer(constant("zero", INT8, 1));
    for (NodeProto.Builder node : nodes) {
      graph.addNode(node);
    }
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .setProducerName(producer)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    return OnnxModelFile.open(Files.write(folder.resolve("model.onnx"), model.toByteArray()));
  }

  private static List<String> modules(OnnxModelFile model) {
    return model.modules().stream().map(ModuleDescription::name).toList();
  }

  @Test
  void is_known_by_codes_that_are_dequantized() throws IOException {
    try (OnnxModelFile model =
        open(
            "onnx.quantize",
            node("DequantizeLinear", "dq", "codes", "scale", "zero"),
            node("MatMul", "y", "x", "dq"))) {
      assertThat(model.quantizedBy()).contains("onnx.quantize: the weight of 'y' is int8");
      assertThat(modules(model)).containsExactly("y");
    }
  }

  @Test
  void is_known_by_weights_that_are_quantized_as_it_runs() throws IOException {
    try (OnnxModelFile model =
        open(
            "",
            node("QuantizeLinear", "q", "w", "scale", "zero"),
            node("DequantizeLinear", "dq", "q", "scale", "zero"),
            node("MatMul", "y", "x", "dq"))) {
      assertThat(model.quantizedBy()).contains("another tool: the weight of 'y' is int8");
    }
  }

  @Test
  void is_known_by_operators_on_integers() throws IOException {
    try (OnnxModelFile model =
        open(
            "onnx.quantize",
            node("DynamicQuantizeLinear", "q", "x"),
            node("MatMulInteger", "y", "q", "bytes"))) {
      assertThat(model.quantizedBy()).contains("onnx.quantize: the weight of 'y' is uint8");
      assertThat(modules(model)).containsExactly("y");
    }
  }

  @Test
  void is_not_one_whose_weights_are_numbers() throws IOException {
    try (OnnxModelFile model = open("pytorch", node("MatMul", "y", "x", "w"))) {
      assertThat(model.quantizedBy()).isEqualTo(Optional.empty());
    }
  }
}
