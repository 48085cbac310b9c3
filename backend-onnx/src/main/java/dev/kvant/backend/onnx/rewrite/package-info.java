/** Rewrites a graph as it is planned. */
@NullMarked
package dev.kvant.backend.onnx.rewrite;

import org.jspecify.annotations.NullMarked;
