/** Quantization of ONNX graphs: the backend and what it offers. */
@NullMarked
package dev.kvant.backend.onnx;

import org.jspecify.annotations.NullMarked;
