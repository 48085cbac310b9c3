/** Reads samples from NumPy's files and from images, batch by batch. */
@NullMarked
package dev.kvant.runtime.data;

import org.jspecify.annotations.NullMarked;
