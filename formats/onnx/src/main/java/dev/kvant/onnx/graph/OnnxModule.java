package dev.kvant.onnx.graph;

import dev.kvant.api.ModuleDescription;
import java.util.Objects;

/**
 * A node: what a plan decides about, with trained parameters or without.
 *
 * @param description how the plan knows it
 * @param graph the graph that it is in
 * @param node the node
 * @since 0.1.0
 */
public record OnnxModule(ModuleDescription description, Graph graph, Node node) {

  public OnnxModule {
    Objects.requireNonNull(description, "description");
    Objects.requireNonNull(graph, "graph");
    Objects.requireNonNull(node, "node");
  }

  /**
   * A stored constant of a node that can be quantized.
   *
   * @param input which input of the node it is
   * @param channelAxis the axis of its output channels; -1 if it has none
   * @param tensor the constant
   */
  public record Weight(int input, int channelAxis, StoredTensor tensor) {

    public Weight {
      Objects.requireNonNull(tensor, "tensor");
    }
  }

  /** The module's name in the plan. */
  public String name() {
    return description.name();
  }
}
