/**
 * Reports of a quantization, for programs and people: the documents that the command prints as
 * JSON, and the files that it writes.
 */
@NullMarked
package dev.kvant.report;

import org.jspecify.annotations.NullMarked;
