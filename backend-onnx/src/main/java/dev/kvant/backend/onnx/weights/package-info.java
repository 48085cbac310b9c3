/** Weights as codes and scales, computed while they are written. */
@NullMarked
package dev.kvant.backend.onnx.weights;

import org.jspecify.annotations.NullMarked;
