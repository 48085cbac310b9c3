package dev.kvant.onnx.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A weight that operators stand before")
class ConstantTensorsTest {

  @TempDir private Path folder;

  private static NodeProto.Builder node(String type, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setName(output)
        .addOutput(output)
        .addAllInput(List.of(inputs));
  }

  private static NodeProto.Builder transpose(String output, String input, long... order) {
    AttributeProto.Builder perm =
        AttributeProto.newBuilder().setName("perm").setType(AttributeProto.AttributeType.INTS);
    for (long axis : order) {
      perm.addInts(axis);
    }
    return node("Transpose", output, input).addAttribute(perm);
  }

  /** The weight of a product whose right side is {@code made}; {@code w} is [2, 3] of 0 to 5. */
  private ModelTensor weight(NodeProto.Builder... nodes) throws IOException {
    TensorProto.Builder weight =
        TensorProto.newBuilder().setName("w").setDataType(1).addDims(2).addDims(3);
    for (int i = 0; i < 6; i++) {
      weight.addFloatData(i);
    }
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("g")
            .addInput(ValueInfoProto.newBuilder().setName("x"))
            .addOutput(ValueInfoProto.newBuilder().setName("y"))
            .addInitializer(weight)
            .addInitializer(
                TensorProto.newBuilder()
                    .setName("shape")
                    .setDataType(7)
                    .addDims(2)
                    .addInt64Data(3)
                    .addInt64Data(-1));
    for (NodeProto.Builder node : nodes) {
      graph.addNode(node);
    }
    graph.addNode(node("MatMul", "y", "x", "made"));
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    Path file = Files.write(folder.resolve("model.onnx"), model.toByteArray());
    try (OnnxFile opened = OnnxFile.open(file)) {
      return Objects.requireNonNull(OnnxModules.tensors(opened.load()).get("y.weight"));
    }
  }

  private static List<Float> values(ModelTensor tensor) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    bytes.flip();
    List<Float> values = new ArrayList<>();
    while (bytes.hasRemaining()) {
      values.add(bytes.getFloat());
    }
    return values;
  }

  @Test
  void is_read_in_its_own_order_behind_copies_and_other_shapes() throws IOException {
    ModelTensor tensor =
        weight(node("Identity", "copy", "w"), node("Reshape", "made", "copy", "shape"));

    assertThat(tensor.shape()).containsExactly(3L, 2L);
    assertThat(values(tensor)).containsExactly(0f, 1f, 2f, 3f, 4f, 5f);
  }

  @Test
  void is_read_in_the_order_of_a_transposition() throws IOException {
    ModelTensor tensor = weight(transpose("made", "w", 1, 0));

    assertThat(tensor.shape()).containsExactly(3L, 2L);
    assertThat(values(tensor)).containsExactly(0f, 3f, 1f, 4f, 2f, 5f);
  }

  @Test
  void is_read_where_it_is_reshaped_before_it_is_transposed() throws IOException {
    ModelTensor tensor =
        weight(node("Reshape", "tall", "w", "shape"), transpose("made", "tall", 1, 0));

    assertThat(tensor.shape()).containsExactly(2L, 3L);
    assertThat(values(tensor)).containsExactly(0f, 2f, 4f, 1f, 3f, 5f);
  }

  @Test
  void is_described_but_not_read_where_operators_compute_its_values() throws IOException {
    ModelTensor tensor = weight(node("Mul", "made", "w", "w"));

    assertThat(tensor.shape()).containsExactly(2L, 3L);
    assertThatThrownBy(() -> values(tensor))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(
            "the tensor 'made' is computed by operators and not stored, so it cannot be read");
  }

  @Test
  void is_not_read_where_it_is_reshaped_after_it_is_transposed() throws IOException {
    ModelTensor tensor =
        weight(transpose("turned", "w", 1, 0), node("Reshape", "made", "turned", "shape"));

    assertThat(tensor.shape()).containsExactly(3L, 2L);
    assertThatThrownBy(() -> values(tensor)).isInstanceOf(ModelFormatException.class);
  }
}
