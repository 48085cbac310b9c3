/** Tests of checking configurations. */
@NullMarked
package dev.kvant.validation;

import org.jspecify.annotations.NullMarked;
