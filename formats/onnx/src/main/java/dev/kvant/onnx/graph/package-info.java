/**
 * ONNX files as graphs that can be changed: reading without holding tensors, names, constants, and
 * writing with tensors streamed.
 */
@NullMarked
package dev.kvant.onnx.graph;

import org.jspecify.annotations.NullMarked;
