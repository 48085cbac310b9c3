/**
 * How the command speaks to people and programs: streams that know what their reader can show,
 * tables, progress, and JSON. Knows nothing of quantization.
 */
@NullMarked
package dev.kvant.cli.output;

import org.jspecify.annotations.NullMarked;
