/** The arithmetic of llama.cpp's types of blocks. */
@NullMarked
package dev.kvant.backend.gguf.blocks;

import org.jspecify.annotations.NullMarked;
