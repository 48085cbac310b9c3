/** Tests in application contexts that are really started. */
@NullMarked
package dev.kvant.spring;

import org.jspecify.annotations.NullMarked;
