/** Runs ONNX graphs in ONNX Runtime. */
@NullMarked
package dev.kvant.onnx.runtime;

import org.jspecify.annotations.NullMarked;
