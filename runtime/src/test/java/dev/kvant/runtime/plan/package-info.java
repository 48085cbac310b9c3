/** Tests of the planner. */
@NullMarked
package dev.kvant.runtime.plan;

import org.jspecify.annotations.NullMarked;
