/** Tests of reading samples. */
@NullMarked
package dev.kvant.runtime.data;

import org.jspecify.annotations.NullMarked;
