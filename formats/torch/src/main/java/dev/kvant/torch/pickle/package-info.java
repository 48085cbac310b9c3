/**
 * Pickles as trees of plain values: read without executing code, and written in the protocol that
 * PyTorch and libtorch read.
 */
@NullMarked
package dev.kvant.torch.pickle;

import org.jspecify.annotations.NullMarked;
