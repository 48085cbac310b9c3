@NullMarked
package dev.kvant.onnx.runtime;

import org.jspecify.annotations.NullMarked;
