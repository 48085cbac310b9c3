/** Tests of zip archives, sound and damaged. */
@NullMarked
package dev.kvant.torch.archive;

import org.jspecify.annotations.NullMarked;
