/** Plans as text that artifacts can carry, whoever writes them. */
@NullMarked
package dev.kvant.spi.plan;

import org.jspecify.annotations.NullMarked;
