package dev.kvant.backend.onnx.plan;

import dev.kvant.backend.onnx.placement.Bounds;
import dev.kvant.backend.onnx.placement.Reader;
import dev.kvant.onnx.graph.Graph;
import java.util.List;
import java.util.Objects;

/**
 * An activation that is quantized and restored at once.
 *
 * @param activation the tensor
 * @param home the graph that it is in
 * @param scale the activations whose ranges together are the range of its step
 * @param bounds what the range must not leave
 * @param isWhole whether the range is that of the bounds, whatever was observed
 * @param isForAll whether all that read the tensor read it restored
 * @param readers who reads it restored if not all do
 * @param module the module on whose behalf it is quantized
 * @since 0.1.0
 */
public record QuantizedActivation(
    Activation activation,
    Graph home,
    List<Activation> scale,
    Bounds bounds,
    boolean isWhole,
    boolean isForAll,
    List<Reader> readers,
    String module) {

  public QuantizedActivation {
    Objects.requireNonNull(activation, "activation");
    Objects.requireNonNull(home, "home");
    scale = List.copyOf(scale);
    Objects.requireNonNull(bounds, "bounds");
    readers = List.copyOf(readers);
    Objects.requireNonNull(module, "module");
  }
}
