package dev.kvant.backend.onnx.placement;

import java.util.List;
import java.util.Objects;

/**
 * A tensor that is quantized and restored at once, so that operators on both sides can compute with
 * the codes.
 *
 * @param tensor the tensor
 * @param scale what its step is found for
 * @param isForAll whether all that read the tensor read it restored: so it is where it is written
 *     as codes
 * @param readers who reads it restored if not all do
 * @since 0.1.0
 */
public record Pair(String tensor, Scale scale, boolean isForAll, List<Reader> readers) {

  public Pair {
    Objects.requireNonNull(tensor, "tensor");
    Objects.requireNonNull(scale, "scale");
    readers = List.copyOf(readers);
  }
}
