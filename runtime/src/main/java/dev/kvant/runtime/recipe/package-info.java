/** Recipes: which backend and which configuration suit a model. */
@NullMarked
package dev.kvant.runtime.recipe;

import org.jspecify.annotations.NullMarked;
