@NullMarked
package dev.kvant.backend.compressedtensors;

import org.jspecify.annotations.NullMarked;
