/** Tests of graphs that can be changed. */
@NullMarked
package dev.kvant.onnx.graph;

import org.jspecify.annotations.NullMarked;
