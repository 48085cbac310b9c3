/**
 * Finds what is installed: providers by {@link java.util.ServiceLoader}, plugins in class loaders
 * of their own. One bad jar never hides the others.
 */
@NullMarked
package dev.kvant.runtime.discovery;

import org.jspecify.annotations.NullMarked;
