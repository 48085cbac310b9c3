/** An example: a sentence encoder from float32 to int8. */
@NullMarked
package dev.kvant.examples.minilm;

import org.jspecify.annotations.NullMarked;
