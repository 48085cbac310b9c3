package dev.kvant.spring;

import dev.kvant.runtime.Kvant;

/**
 * A bean of this type changes the builder of {@link Kvant} last.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface KvantCustomizer {

  /** Changes the builder after properties and other beans. */
  void customize(Kvant.Builder builder);
}
