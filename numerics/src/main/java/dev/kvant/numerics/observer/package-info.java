/**
 * Finds the range of values that a quantized tensor should be able to hold, from values that are
 * seen once and not kept.
 */
@NullMarked
package dev.kvant.numerics.observer;

import org.jspecify.annotations.NullMarked;
