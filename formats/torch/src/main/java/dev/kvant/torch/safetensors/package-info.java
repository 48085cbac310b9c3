/** The safetensors format: single files and sharded ones with an index. */
@NullMarked
package dev.kvant.torch.safetensors;

import org.jspecify.annotations.NullMarked;
