/** Tests of what is read from, and written into, PyTorch's and safetensors' files. */
@NullMarked
package dev.kvant.torch;

import org.jspecify.annotations.NullMarked;
