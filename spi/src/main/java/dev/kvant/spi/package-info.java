/**
 * What authors of backends, model formats and model runners implement. Found by {@link
 * java.util.ServiceLoader}.
 */
@NullMarked
package dev.kvant.spi;

import org.jspecify.annotations.NullMarked;
