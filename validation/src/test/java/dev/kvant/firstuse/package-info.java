/** Runs in processes of its own, outside of the module that it tests. */
@NullMarked
package dev.kvant.firstuse;

import org.jspecify.annotations.NullMarked;
