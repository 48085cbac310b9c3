/** Checks configurations with Hibernate Validator; all problems at once, each with its path. */
@NullMarked
package dev.kvant.validation;

import org.jspecify.annotations.NullMarked;
