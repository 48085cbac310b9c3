/** Coverage-guided fuzzing of everything that reads a stranger's file. */
@NullMarked
package dev.kvant.fuzz;

import org.jspecify.annotations.NullMarked;
