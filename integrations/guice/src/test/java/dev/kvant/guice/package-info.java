/** Tests of Kvant in a Guice application. */
@NullMarked
package dev.kvant.guice;

import org.jspecify.annotations.NullMarked;
