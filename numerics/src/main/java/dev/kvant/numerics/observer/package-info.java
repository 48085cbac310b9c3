/** Finds the range of a quantized tensor from values that are observed once and not kept. */
@NullMarked
package dev.kvant.numerics.observer;

import org.jspecify.annotations.NullMarked;
