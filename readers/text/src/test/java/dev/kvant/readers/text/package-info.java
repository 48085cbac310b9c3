/** Tests of the data reader of texts. */
@NullMarked
package dev.kvant.readers.text;

import org.jspecify.annotations.NullMarked;
