/** PyTorch model files: opened lazily, rewritten, written. A pickle is never executed. */
@NullMarked
package dev.kvant.torch;

import org.jspecify.annotations.NullMarked;
