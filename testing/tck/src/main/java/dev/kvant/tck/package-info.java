/**
 * Tests that every backend and every model format must pass, for their authors to extend: one
 * class, a factory and a few sample models.
 */
@NullMarked
package dev.kvant.tck;

import org.jspecify.annotations.NullMarked;
