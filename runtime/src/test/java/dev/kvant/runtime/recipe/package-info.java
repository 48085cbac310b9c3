/** Tests of recommended recipes. */
@NullMarked
package dev.kvant.runtime.recipe;

import org.jspecify.annotations.NullMarked;
