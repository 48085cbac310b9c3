/** Tests of pickles, sound and hostile. */
@NullMarked
package dev.kvant.torch.pickle;

import org.jspecify.annotations.NullMarked;
