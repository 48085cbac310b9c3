/** ONNX files as models: recognizing and opening them. */
@NullMarked
package dev.kvant.onnx;

import org.jspecify.annotations.NullMarked;
