/** Tests of the kit for backends. */
@NullMarked
package dev.kvant.kit;

import org.jspecify.annotations.NullMarked;
