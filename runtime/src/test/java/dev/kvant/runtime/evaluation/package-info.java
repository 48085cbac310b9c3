/** Tests of evaluation, with models that are functions. */
@NullMarked
package dev.kvant.runtime.evaluation;

import org.jspecify.annotations.NullMarked;
