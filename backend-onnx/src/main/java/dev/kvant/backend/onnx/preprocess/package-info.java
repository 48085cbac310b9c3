/** Changes that a graph needs before it is quantized: later operators, constants, fusions. */
@NullMarked
package dev.kvant.backend.onnx.preprocess;

import org.jspecify.annotations.NullMarked;
