/** Tests of safetensors files, sound and damaged. */
@NullMarked
package dev.kvant.torch.safetensors;

import org.jspecify.annotations.NullMarked;
