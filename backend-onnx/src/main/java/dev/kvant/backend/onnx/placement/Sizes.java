package dev.kvant.backend.onnx.placement;

/**
 * How many elements tensors have while one sample runs through the model.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface Sizes {

  /** The size of a tensor; 0 if it is not known. */
  double of(String tensor);
}
