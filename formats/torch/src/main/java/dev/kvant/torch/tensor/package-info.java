/**
 * Tensors in files: where their elements are, how to read them in blocks, and how pickles describe
 * them.
 */
@NullMarked
package dev.kvant.torch.tensor;

import org.jspecify.annotations.NullMarked;
