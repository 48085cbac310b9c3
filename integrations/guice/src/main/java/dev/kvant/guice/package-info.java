/**
 * Kvant for applications with Guice: a module, its contributions, and the handle that closes it.
 */
@NullMarked
package dev.kvant.guice;

import org.jspecify.annotations.NullMarked;
