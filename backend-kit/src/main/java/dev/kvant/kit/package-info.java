/**
 * What every backend needs beside its arithmetic and its format: weights of a plan, blocks of a
 * tensor in order, observers, reports.
 */
@NullMarked
package dev.kvant.kit;

import org.jspecify.annotations.NullMarked;
