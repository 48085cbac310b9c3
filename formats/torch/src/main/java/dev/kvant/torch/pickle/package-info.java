/**
 * Pickles as trees of plain values: read without executing anything, and written in the protocol
 * that PyTorch and libtorch read.
 */
@NullMarked
package dev.kvant.torch.pickle;

import org.jspecify.annotations.NullMarked;
