/** Tests of the example. */
@NullMarked
package dev.kvant.examples.langchain4j;

import org.jspecify.annotations.NullMarked;
