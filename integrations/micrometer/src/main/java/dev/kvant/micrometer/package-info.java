/** Metrics of Kvant for applications with Micrometer. */
@NullMarked
package dev.kvant.micrometer;

import org.jspecify.annotations.NullMarked;
