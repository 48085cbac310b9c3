/** The entry point {@code Kvant} and the engine behind the quantizer. */
@NullMarked
package dev.kvant.runtime;

import org.jspecify.annotations.NullMarked;
