/** Tests against libtorch itself, on models that PyTorch saved. */
@NullMarked
package dev.kvant.torch.runtime;

import org.jspecify.annotations.NullMarked;
