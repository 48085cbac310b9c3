/**
 * The entry point {@link dev.kvant.runtime.Kvant} and the engine behind the quantizers that it
 * makes.
 */
@NullMarked
package dev.kvant.runtime;

import org.jspecify.annotations.NullMarked;
