@NullMarked
package dev.kvant.runtime.verification;

import org.jspecify.annotations.NullMarked;
