/** What Kvant does, as metrics of an application that uses Micrometer. */
@NullMarked
package dev.kvant.micrometer;

import org.jspecify.annotations.NullMarked;
