@NullMarked
package dev.kvant.runtime.calibration;

import org.jspecify.annotations.NullMarked;
