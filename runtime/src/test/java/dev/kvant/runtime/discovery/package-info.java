/** Tests of discovery, with providers that are compiled into jars while the tests run. */
@NullMarked
package dev.kvant.runtime.discovery;

import org.jspecify.annotations.NullMarked;
