/** Tests of the torchao backend, against checkpoints of torchao itself. */
@NullMarked
package dev.kvant.backend.torchao;

import org.jspecify.annotations.NullMarked;
