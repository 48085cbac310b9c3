/**
 * The arithmetic of quantization: encoders, decoders, scales. It depends on the JDK only. Every
 * formula names its source.
 */
@NullMarked
package dev.kvant.numerics;

import org.jspecify.annotations.NullMarked;
