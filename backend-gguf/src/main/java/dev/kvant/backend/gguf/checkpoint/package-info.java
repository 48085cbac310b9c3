/** Checkpoints of Hugging Face as llama.cpp names and stores them. */
@NullMarked
package dev.kvant.backend.gguf.checkpoint;

import org.jspecify.annotations.NullMarked;
