@NullMarked
package dev.kvant.runtime.tuning;

import org.jspecify.annotations.NullMarked;
