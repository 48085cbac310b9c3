/** Proof that good providers pass the contracts and that each broken one fails. */
@NullMarked
package dev.kvant.tck;

import org.jspecify.annotations.NullMarked;
