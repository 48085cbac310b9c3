/** Tests of the metrics. */
@NullMarked
package dev.kvant.micrometer;

import org.jspecify.annotations.NullMarked;
