/** Observes activations while data runs through a graph. */
@NullMarked
package dev.kvant.backend.onnx.calibration;

import org.jspecify.annotations.NullMarked;
