@NullMarked
package dev.kvant.backend.compressedtensors.weights;

import org.jspecify.annotations.NullMarked;
