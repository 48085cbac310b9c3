package dev.kvant.backend.onnx.placement;

/**
 * The aim that regions of int8 operators are chosen for; the first one is the default.
 *
 * @since 0.1.0
 */
public enum Optimize {
  /** The smallest regions that are about as fast as the fastest ones. */
  BALANCED,
  /** Only the inputs of operators with weights are quantized; there are no regions. */
  ACCURACY,
  /** The fastest regions. */
  SPEED
}
