/** Tests of what holds for all modules together. */
@NullMarked
package dev.kvant.integration;

import org.jspecify.annotations.NullMarked;
