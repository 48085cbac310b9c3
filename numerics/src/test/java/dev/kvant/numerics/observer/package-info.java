/** Tests of the observers. */
@NullMarked
package dev.kvant.numerics.observer;

import org.jspecify.annotations.NullMarked;
