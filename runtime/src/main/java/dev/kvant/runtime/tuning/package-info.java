/** Measures what each module costs in accuracy, and searches for the best configuration. */
@NullMarked
package dev.kvant.runtime.tuning;

import org.jspecify.annotations.NullMarked;
