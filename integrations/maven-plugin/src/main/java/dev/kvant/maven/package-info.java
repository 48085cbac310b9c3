/** The Maven plugin: what its parameters mean, when it does its work again, and what it prints. */
@NullMarked
package dev.kvant.maven;

import org.jspecify.annotations.NullMarked;
