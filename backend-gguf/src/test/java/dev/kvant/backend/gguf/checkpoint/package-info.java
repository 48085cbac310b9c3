@NullMarked
package dev.kvant.backend.gguf.checkpoint;

import org.jspecify.annotations.NullMarked;
