/** Tests of the modelopt backend, against what ModelOpt itself computes. */
@NullMarked
package dev.kvant.backend.modelopt;

import org.jspecify.annotations.NullMarked;
