/** An example: LangChain4j with a model that the build quantizes. */
@NullMarked
package dev.kvant.examples.langchain4j;

import org.jspecify.annotations.NullMarked;
