package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Node;

/**
 * An input of a node.
 *
 * @param node the node
 * @param input which of its inputs
 * @param tensor what it reads there
 * @since 0.1.0
 */
public record Reader(Node node, int input, String tensor) {}
