/**
 * The zip archives of PyTorch's models: records are read in place, and written aligned and without
 * timestamps.
 */
@NullMarked
package dev.kvant.torch.archive;

import org.jspecify.annotations.NullMarked;
