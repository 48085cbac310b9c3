/** The torchao backend: weight-only quantization. */
@NullMarked
package dev.kvant.backend.torchao;

import org.jspecify.annotations.NullMarked;
