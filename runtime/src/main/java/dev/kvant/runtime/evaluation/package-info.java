/** Runs models on samples and says how good, how alike and how fast they are. */
@NullMarked
package dev.kvant.runtime.evaluation;

import org.jspecify.annotations.NullMarked;
