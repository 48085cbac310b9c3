/** Tests of the ONNX format. */
@NullMarked
package dev.kvant.onnx;

import org.jspecify.annotations.NullMarked;
