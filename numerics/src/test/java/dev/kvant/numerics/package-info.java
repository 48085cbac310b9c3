/** Tests of the arithmetic, against golden files of torch and torchao and by exhaustion. */
@NullMarked
package dev.kvant.numerics;

import org.jspecify.annotations.NullMarked;
