@NullMarked
package dev.kvant.backend.onnx.placement;

import org.jspecify.annotations.NullMarked;
