/** Kvant in a Spring Boot application: a bean, its properties and its health. */
@NullMarked
package dev.kvant.spring;

import org.jspecify.annotations.NullMarked;
