/** Texts as samples: their files, their tokens, and the inputs of models that are made of them. */
@NullMarked
package dev.kvant.readers.text;

import org.jspecify.annotations.NullMarked;
