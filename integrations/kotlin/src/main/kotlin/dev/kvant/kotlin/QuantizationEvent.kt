package dev.kvant.kotlin

import dev.kvant.api.Progress
import dev.kvant.api.QuantizationWarning
import dev.kvant.api.SavedModel

/**
 * What happens while a model is quantized.
 *
 * @since 0.1.0
 */
public sealed interface QuantizationEvent {

  /** A long step has come further. */
  @JvmRecord public data class Progressed(val progress: Progress) : QuantizationEvent

  /** Something goes otherwise than configured. */
  @JvmRecord public data class Warned(val warning: QuantizationWarning) : QuantizationEvent

  /** The artifacts are written; nothing comes after this. */
  @JvmRecord public data class Saved(val model: SavedModel) : QuantizationEvent
}
