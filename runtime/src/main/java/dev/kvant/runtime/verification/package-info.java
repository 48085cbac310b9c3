/** Runs artifacts beside their source and compares what they give. */
@NullMarked
package dev.kvant.runtime.verification;

import org.jspecify.annotations.NullMarked;
