/** Tests of the ONNX backend. */
@NullMarked
package dev.kvant.backend.onnx;

import org.jspecify.annotations.NullMarked;
