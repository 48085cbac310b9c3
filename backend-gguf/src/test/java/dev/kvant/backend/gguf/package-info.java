@NullMarked
package dev.kvant.backend.gguf;

import org.jspecify.annotations.NullMarked;
