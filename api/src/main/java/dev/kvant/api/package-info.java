/**
 * The types that users of Kvant hold: configuration, plan, models, the quantizer, listeners and
 * exceptions. They are values without further behaviour, and stable.
 */
@NullMarked
package dev.kvant.api;

import org.jspecify.annotations.NullMarked;
