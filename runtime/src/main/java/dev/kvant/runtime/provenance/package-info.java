/** What artifacts were made from, with the sums of their files, and whether that still holds. */
@NullMarked
package dev.kvant.runtime.provenance;

import org.jspecify.annotations.NullMarked;
