/** Plans and reports as trees of JSON: for programs, and as the records inside of artifacts. */
@NullMarked
package dev.kvant.runtime.report;

import org.jspecify.annotations.NullMarked;
