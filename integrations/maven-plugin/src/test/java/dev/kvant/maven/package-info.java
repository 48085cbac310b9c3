/** Tests of the Maven plugin, alone and in builds. */
@NullMarked
package dev.kvant.maven;

import org.jspecify.annotations.NullMarked;
