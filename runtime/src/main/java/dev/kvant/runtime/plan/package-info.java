/**
 * Makes the plan: rules × modules × what the backend can quantize, one decision for each module and
 * operand with its reason.
 */
@NullMarked
package dev.kvant.runtime.plan;

import org.jspecify.annotations.NullMarked;
