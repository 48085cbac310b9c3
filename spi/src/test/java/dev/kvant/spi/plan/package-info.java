/** Tests of plans as text. */
@NullMarked
package dev.kvant.spi.plan;

import org.jspecify.annotations.NullMarked;
