/** Runs TorchScript through DJL; libtorch is loaded only when something must run. */
@NullMarked
package dev.kvant.torch.runtime;

import org.jspecify.annotations.NullMarked;
