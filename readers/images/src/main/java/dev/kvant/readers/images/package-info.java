/** Images as samples: decoding, scaling, cropping, normalization, and folders as labels. */
@NullMarked
package dev.kvant.readers.images;

import org.jspecify.annotations.NullMarked;
