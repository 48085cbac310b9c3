/** The arithmetic of quantized weights, and how their codes and scales are laid out. */
@NullMarked
package dev.kvant.backend.compressedtensors.weights;

import org.jspecify.annotations.NullMarked;
