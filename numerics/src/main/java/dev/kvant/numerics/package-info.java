/**
 * The arithmetic of quantization and nothing else: encoders, decoders, scales. Depends on the JDK
 * only; every formula names its source.
 */
@NullMarked
package dev.kvant.numerics;

import org.jspecify.annotations.NullMarked;
