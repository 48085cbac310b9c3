/** Tests of configuration documents. */
@NullMarked
package dev.kvant.runtime.config;

import org.jspecify.annotations.NullMarked;
