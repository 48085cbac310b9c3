/**
 * What users of Kvant hold: configuration, plan, models, the quantizer, listeners and exceptions.
 * Small and stable; no behaviour lives here beyond what its values mean.
 */
@NullMarked
package dev.kvant.api;

import org.jspecify.annotations.NullMarked;
