/** Spreads work over threads. */
@NullMarked
package dev.kvant.backend.onnx.concurrent;

import org.jspecify.annotations.NullMarked;
