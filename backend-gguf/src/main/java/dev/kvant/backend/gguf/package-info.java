/** The backend for GGUF files: what it supports, and the file that it writes. */
@NullMarked
package dev.kvant.backend.gguf;

import org.jspecify.annotations.NullMarked;
