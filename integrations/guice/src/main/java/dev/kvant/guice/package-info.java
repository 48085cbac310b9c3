/**
 * Kvant for applications that are wired by Guice: a module, what contributes to it, and the handle
 * that ends it.
 */
@NullMarked
package dev.kvant.guice;

import org.jspecify.annotations.NullMarked;
