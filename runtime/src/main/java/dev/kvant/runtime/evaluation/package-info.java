/** Runs models on samples and measures accuracy, similarity to a reference, and latency. */
@NullMarked
package dev.kvant.runtime.evaluation;

import org.jspecify.annotations.NullMarked;
