/** Tests of the command, run in process on models that are lines of text. */
@NullMarked
package dev.kvant.cli;

import org.jspecify.annotations.NullMarked;
