/** Runs TorchScript through DJL; libtorch is loaded only when a model runs. */
@NullMarked
package dev.kvant.torch.runtime;

import org.jspecify.annotations.NullMarked;
