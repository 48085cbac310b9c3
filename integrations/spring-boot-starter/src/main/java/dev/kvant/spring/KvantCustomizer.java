package dev.kvant.spring;

import dev.kvant.runtime.Kvant;

/**
 * A bean of this type has the last word on how {@link Kvant} is built.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface KvantCustomizer {

  /** Changes the builder, which has all that properties and other beans say. */
  void customize(Kvant.Builder builder);
}
