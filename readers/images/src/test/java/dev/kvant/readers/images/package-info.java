/** Tests of the data reader of images. */
@NullMarked
package dev.kvant.readers.images;

import org.jspecify.annotations.NullMarked;
