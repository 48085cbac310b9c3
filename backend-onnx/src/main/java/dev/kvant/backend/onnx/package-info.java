/** Quantization of ONNX graphs: the backend, the model format and the model runner. */
@NullMarked
package dev.kvant.backend.onnx;

import org.jspecify.annotations.NullMarked;
