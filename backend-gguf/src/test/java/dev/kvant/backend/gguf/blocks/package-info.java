@NullMarked
package dev.kvant.backend.gguf.blocks;

import org.jspecify.annotations.NullMarked;
