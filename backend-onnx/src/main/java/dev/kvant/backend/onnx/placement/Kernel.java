package dev.kvant.backend.onnx.placement;

/** What an integer kernel asks of the tensors around its operator. */
enum Kernel {
  /** There is none: the operator computes in float. */
  NONE,
  /** Reads and writes codes, each tensor with a scale of its own. */
  CLOSED,
  /** Reads codes and writes codes or floats, whichever is asked for. */
  OPEN,
  /** Only moves values: all its tensors share one scale. */
  MOVER,
  /** Puts tensors side by side; those that nothing else reads share the scale of the result. */
  JOIN;

  /** Whether its outputs are codes whoever reads them. */
  boolean writesCodes() {
    return this != NONE && this != OPEN;
  }
}
