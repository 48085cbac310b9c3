/** Benchmarks of whole steps, comparable with what the Python peers do in the same time. */
@NullMarked
package dev.kvant.benchmarks;

import org.jspecify.annotations.NullMarked;
