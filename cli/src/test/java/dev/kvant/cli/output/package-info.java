/** Tests of what is printed. */
@NullMarked
package dev.kvant.cli.output;

import org.jspecify.annotations.NullMarked;
