package dev.kvant.backend.onnx.preprocess;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A mean behind many operators that tell how many axes it has")
class MeanPoolingTest {

  private static final int BLOCKS = 40;
  private static final int OPERATORS = 20_000;

  @TempDir private Path folder;

  private final GraphProto.Builder graph =
      GraphProto.newBuilder().setName("g").addInput(image("x0")).addOutput(image("y"));

  private static ValueInfoProto image(String name) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (int axis = 0; axis < 4; axis++) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam(name + axis));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(1).setShape(shape)))
        .build();
  }

  private static NodeProto.Builder node(String operator, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(operator)
        .setName(output)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  /** The operator that the mean of a value over rows and columns becomes. */
  private String meanOf(String value) throws IOException {
    graph.addNode(
        node("ReduceMean", "y", value)
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("axes")
                    .setType(AttributeProto.AttributeType.INTS)
                    .addInts(2)
                    .addInts(3)));
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    Path path = Files.write(folder.resolve("model.onnx"), model.toByteArray());
    try (OnnxFile file = OnnxFile.open(path)) {
      OnnxModel loaded = file.load();
      MeanPooling.apply(loaded);
      return loaded.graph().nodes().get(loaded.graph().nodes().size() - 1).opType();
    }
  }

  /** Each block reads what is in front of it twice: there are 2 to the power of 40 ways back. */
  @Test
  @Timeout(20)
  void is_found_behind_blocks_with_two_paths() throws IOException {
    for (int i = 0; i < BLOCKS; i++) {
      graph.addNode(node("Relu", "relu" + i, "x" + i));
      graph.addNode(node("Add", "x" + (i + 1), "x" + i, "relu" + i));
    }

    assertThat(meanOf("x" + BLOCKS)).isEqualTo("GlobalAveragePool");
  }

  @Test
  @Timeout(20)
  void is_found_behind_a_chain_that_is_deeper_than_a_stack() throws IOException {
    for (int i = 0; i < OPERATORS; i++) {
      graph.addNode(node("Add", "x" + (i + 1), "x" + i, "x" + i));
    }

    assertThat(meanOf("x" + OPERATORS)).isEqualTo("GlobalAveragePool");
  }

  @Test
  void is_left_alone_behind_an_operator_that_may_change_the_axes() throws IOException {
    graph.addNode(node("Unknown", "x1", "x0"));
    graph.addNode(node("Add", "x2", "x0", "x1"));

    assertThat(meanOf("x2")).isEqualTo("ReduceMean");
  }
}
