package dev.kvant.onnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A graph")
class GraphTest {

  @TempDir private Path folder;

  /** A graph of nodes that are each given as output and input. */
  private OnnxModel model(String... nodes) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("g")
            .addInput(ValueInfoProto.newBuilder().setName("x"))
            .addOutput(ValueInfoProto.newBuilder().setName("y"));
    for (String node : nodes) {
      String[] parts = node.split(" ", -1);
      graph.addNode(
          NodeProto.newBuilder()
              .setName("to_" + parts[0])
              .setOpType("Identity")
              .addOutput(parts[0])
              .addInput(parts[1]));
    }
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    Path file = Files.write(folder.resolve("model.onnx"), model.toByteArray());
    try (OnnxFile opened = OnnxFile.open(file)) {
      return opened.load();
    }
  }

  private static List<String> names(Graph graph) {
    return graph.nodes().stream().map(Node::name).toList();
  }

  private static Node identity(String output, String input) {
    return Node.create("new_" + output, "Identity", List.of(input), List.of(output));
  }

  @Test
  void keeps_the_order_of_nodes_that_are_sorted() throws IOException {
    assertThat(names(model("a x", "b x", "y a").graph())).containsExactly("to_a", "to_b", "to_y");
  }

  @Test
  void moves_a_node_behind_those_that_it_needs_and_no_other() throws IOException {
    assertThat(names(model("y c", "c b", "d x", "b x", "e d").graph()))
        .containsExactly("to_d", "to_b", "to_e", "to_c", "to_y");
  }

  @Test
  void is_the_home_of_its_inputs_until_they_are_removed() throws IOException {
    Graph graph = model("y x").graph();

    assertThat(graph.home("x")).isSameAs(graph);
    graph.inputs().removeIf(input -> input.getName().equals("x"));
    assertThat(graph.home("x")).isNull();
    assertThat(graph.home("y")).isSameAs(graph);
  }

  @Test
  void finds_the_producer_of_a_value_after_every_change() throws IOException {
    Graph graph = model("a x", "b a", "y b").graph();
    Node first = graph.nodes().get(0);
    Node second = graph.nodes().get(1);

    first.outputs().set(0, "renamed");
    assertThat(graph.producer("a")).isNull();
    assertThat(graph.producer("renamed")).isSameAs(first);

    Node inserted = identity("a", "renamed");
    graph.insertAfter("renamed", List.of(inserted));
    assertThat(graph.nodes().get(1)).isSameAs(inserted);
    assertThat(graph.producer("a")).isSameAs(inserted);

    graph.removeNode(second);
    assertThat(graph.producer("b")).isNull();

    graph.nodes().set(0, identity("other", "x"));
    assertThat(graph.producer("renamed")).isNull();
    assertThat(graph.producer("other")).isSameAs(graph.nodes().get(0));

    graph.removeNodes(Set.of(inserted));
    assertThat(graph.producer("a")).isNull();
    assertThat(names(graph)).containsExactly("new_other", "to_y");
  }

  @Test
  void forgets_values_that_a_removed_node_computes_later() throws IOException {
    Graph graph = model("a x", "y a").graph();
    Node removed = graph.nodes().get(0);
    graph.removeNode(removed);

    removed.outputs().set(0, "z");
    removed.outputs().add("more");

    assertThat(graph.producer("z")).isNull();
    assertThat(graph.producer("more")).isNull();
  }

  @Test
  void takes_over_a_value_from_another_node_in_either_order() throws IOException {
    Graph graph = model("a x", "y a").graph();
    Node old = graph.nodes().get(0);
    Node taker = identity("a", "before");

    graph.nodes().add(1, taker);
    old.outputs().set(0, "before");

    assertThat(graph.producer("a")).isSameAs(taker);
    assertThat(graph.producer("before")).isSameAs(old);
  }

  @Test
  void gives_names_that_nothing_has_yet() throws IOException {
    OnnxModel model = model("a x", "a_1 x", "y a");

    assertThat(model.freshName("a")).isEqualTo("a_2");
    assertThat(model.freshName("a")).isEqualTo("a_3");
    assertThat(model.freshName("new")).isEqualTo("new");
    assertThat(model.freshName("new")).isEqualTo("new_1");
  }
}
