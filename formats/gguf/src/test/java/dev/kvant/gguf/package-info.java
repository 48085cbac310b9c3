@NullMarked
package dev.kvant.gguf;

import org.jspecify.annotations.NullMarked;
