/** Tests of the entry point and the engine, with a backend and models that exist in memory only. */
@NullMarked
package dev.kvant.runtime;

import org.jspecify.annotations.NullMarked;
