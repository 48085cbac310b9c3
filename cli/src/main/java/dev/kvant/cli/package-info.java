/** The kvant command; the only package that prints or exits. */
@NullMarked
package dev.kvant.cli;

import org.jspecify.annotations.NullMarked;
