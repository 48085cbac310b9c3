/**
 * The output of the command for people and programs: streams with the abilities of their reader,
 * tables, progress, and JSON. It is independent of quantization.
 */
@NullMarked
package dev.kvant.cli.output;

import org.jspecify.annotations.NullMarked;
