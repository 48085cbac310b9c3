/** Tests of the packed distribution, each in a process of its own. */
@NullMarked
package dev.kvant.distribution;

import org.jspecify.annotations.NullMarked;
