package dev.kvant.kotlin

import dev.kvant.runtime.Kvant

/**
 * An entry point that is configured in a block, as in `kvant { pluginDirectory(plugins) }`. The
 * caller closes it, best with `use`.
 *
 * @since 0.1.0
 */
public fun kvant(block: Kvant.Builder.() -> Unit = {}): Kvant = Kvant.builder().apply(block).build()
