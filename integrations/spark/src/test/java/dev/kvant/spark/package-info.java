@NullMarked
package dev.kvant.spark;

import org.jspecify.annotations.NullMarked;
