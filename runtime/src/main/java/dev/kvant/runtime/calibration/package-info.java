/** Statistics of calibration: where they come from, how they are kept, and which run uses them. */
@NullMarked
package dev.kvant.runtime.calibration;

import org.jspecify.annotations.NullMarked;
