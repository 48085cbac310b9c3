package dev.kvant.backend.onnx.placement;

import java.util.List;

/**
 * What one step is found for: equal for tensors that share it.
 *
 * @param tensors their ranges together are the range of the step
 * @param bounds what the range must not leave
 * @param isWhole whether the range is that of the bounds, whatever was observed
 * @since 0.1.0
 */
public record Scale(List<String> tensors, Bounds bounds, boolean isWhole) {

  public Scale {
    tensors = List.copyOf(tensors);
  }
}
