/** GGUF files: metadata and tensors, read in place, and a writer. */
@NullMarked
package dev.kvant.gguf;

import org.jspecify.annotations.NullMarked;
