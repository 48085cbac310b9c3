/** Moves the spread of activations' channels into weights before both are quantized. */
@NullMarked
package dev.kvant.backend.onnx.smooth;

import org.jspecify.annotations.NullMarked;
