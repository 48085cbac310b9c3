/**
 * Configuration documents: YAML or maps are read into a tree, and a binder walks the tree and
 * collects everything that is wrong with it.
 */
@NullMarked
package dev.kvant.runtime.config;

import org.jspecify.annotations.NullMarked;
