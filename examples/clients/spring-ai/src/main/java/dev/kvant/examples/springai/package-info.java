/** An example: Spring AI with a model that the build quantizes. */
@NullMarked
package dev.kvant.examples.springai;

import org.jspecify.annotations.NullMarked;
