package dev.kvant.onnx.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The names of the nodes of a model, which they keep while the model is changed.
 *
 * @since 0.1.0
 */
public final class ModuleNames {

  private final NodeNames names = new NodeNames();
  private final ConstantValues constants = new ConstantValues();
  private final Map<Node, List<String>> byNode = new HashMap<>();

  private ModuleNames() {}

  /** The names that the nodes of a model have now. */
  public static ModuleNames of(OnnxModel model) {
    ModuleNames found = new ModuleNames();
    found.collect(model.graph());
    return found;
  }

  private void collect(Graph graph) {
    for (Node node : graph.nodes()) {
      // Taken by every node, so that a name does not depend on which of its bearers have
      // parameters.
      String own = names.own(graph, node);
      byNode.put(node, NodeNames.all(own, node, weightName(graph, node)));
      node.subgraphs().values().forEach(this::collect);
    }
  }

  private String weightName(Graph graph, Node node) {
    return WeightInputs.isRecurrent(node)
        ? ""
        : WeightInputs.of(node).stream()
            .flatMap(input -> constants.of(graph, node.input(input)).stream())
            .findFirst()
            .map(ConstantValue::origin)
            .orElse("");
  }

  /**
   * All names of a node, its own one first.
   *
   * @throws IllegalArgumentException if the node was added since
   */
  List<String> of(Node node) {
    List<String> names = byNode.get(node);
    if (names == null) {
      throw new IllegalArgumentException("node: %s has no name yet".formatted(node));
    }
    return names;
  }

  /**
   * The name of a node in a plan.
   *
   * @throws IllegalArgumentException if the node was added since
   */
  public String name(Node node) {
    return of(node).get(0);
  }

  /** Whether a node was there when names were given. */
  boolean knows(Node node) {
    return byNode.containsKey(node);
  }
}
