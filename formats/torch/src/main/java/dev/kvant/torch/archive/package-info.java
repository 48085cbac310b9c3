/**
 * The zip archives that PyTorch keeps models in: records read where they lie in the file, and
 * written aligned and without timestamps.
 */
@NullMarked
package dev.kvant.torch.archive;

import org.jspecify.annotations.NullMarked;
