/** Tests of reports. */
@NullMarked
package dev.kvant.report;

import org.jspecify.annotations.NullMarked;
