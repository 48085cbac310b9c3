/** Tests of the example. */
@NullMarked
package dev.kvant.examples.springai;

import org.jspecify.annotations.NullMarked;
