package dev.kvant.kotlin

import dev.kvant.api.Progress
import dev.kvant.api.QuantizationWarning
import dev.kvant.api.SavedModel

/**
 * An event during the quantization of a model.
 *
 * @since 0.1.0
 */
public sealed interface QuantizationEvent {

  /** A long step has progressed. */
  @JvmRecord public data class Progressed(val progress: Progress) : QuantizationEvent

  /** A result differs from the configuration. */
  @JvmRecord public data class Warned(val warning: QuantizationWarning) : QuantizationEvent

  /** The artifacts are written. This is the last event. */
  @JvmRecord public data class Saved(val model: SavedModel) : QuantizationEvent
}
