/** Tests of reading tensors in every layout. */
@NullMarked
package dev.kvant.torch.tensor;

import org.jspecify.annotations.NullMarked;
