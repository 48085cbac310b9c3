/** What the plan says about each node of a graph, and which tensors it concerns. */
@NullMarked
package dev.kvant.backend.onnx.plan;

import org.jspecify.annotations.NullMarked;
