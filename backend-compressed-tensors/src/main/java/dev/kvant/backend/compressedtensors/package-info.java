/**
 * The backend for compressed-tensors: what it supports, the plan as schemes, the folder it writes.
 */
@NullMarked
package dev.kvant.backend.compressedtensors;

import org.jspecify.annotations.NullMarked;
