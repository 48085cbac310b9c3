@NullMarked
package dev.kvant.backend.onnx.preprocess;

import org.jspecify.annotations.NullMarked;
