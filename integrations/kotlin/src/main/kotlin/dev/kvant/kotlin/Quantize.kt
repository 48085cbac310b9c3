package dev.kvant.kotlin

import dev.kvant.api.CalibrationDataset
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.Progress
import dev.kvant.api.QuantizableModel
import dev.kvant.api.QuantizationCancelledException
import dev.kvant.api.QuantizationListener
import dev.kvant.api.QuantizationWarning
import dev.kvant.api.SavedModel
import dev.kvant.runtime.Kvant
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.runInterruptible

/**
 * Quantizes a model, from its plan to its artifacts, and suspends meanwhile.
 *
 * Cancellation interrupts the working thread. It ends the current step and leaves no partial files:
 * older artifacts stay unchanged.
 *
 * @param model the model; it stays open and unchanged
 * @param config the configuration
 * @param directory the folder for the artifacts; the configuration's `resultsDir` by default
 * @param data the calibration data, if backend and mode require it
 * @param context the context of the work
 * @param listener receives progress and warnings, on the working thread
 * @throws dev.kvant.api.KvantException as [Kvant.quantizer] and the steps of its quantizer do
 * @since 0.1.0
 */
public suspend fun Kvant.quantizeModel(
  model: QuantizableModel,
  config: ModelQuantizationConfig,
  directory: Path? = null,
  data: CalibrationDataset? = null,
  context: CoroutineContext = Dispatchers.IO,
  listener: QuantizationListener = QuantizationListener.NONE,
): SavedModel =
  runInterruptible(context) {
    try {
      quantizer(config, listener).use { quantizer ->
        val quantized =
          if (data == null) quantizer.quantizeModel(model) else quantizer.quantizeModel(model, data)
        if (directory == null) quantizer.saveModel() else quantizer.saveModel(quantized, directory)
      }
    } catch (e: QuantizationCancelledException) {
      // Coroutines treat this exception as a cancellation, not as a failure.
      throw InterruptedException(e.message).initCause(e)
    }
  }

/**
 * The same as a flow: progress and warnings while the steps last, then [QuantizationEvent.Saved].
 *
 * Cold: each collection quantizes anew. A slow collector slows down the work. With
 * [kotlinx.coroutines.flow.conflate] it sees only the latest event and does not.
 *
 * @param model the model; it stays open and unchanged
 * @param config the configuration
 * @param directory the folder for the artifacts; the configuration's `resultsDir` by default
 * @param data the calibration data, if backend and mode require it
 * @param context the context of the work
 * @since 0.1.0
 */
public fun Kvant.quantizationEvents(
  model: QuantizableModel,
  config: ModelQuantizationConfig,
  directory: Path? = null,
  data: CalibrationDataset? = null,
  context: CoroutineContext = Dispatchers.IO,
): Flow<QuantizationEvent> = channelFlow {
  val saved = quantizeModel(model, config, directory, data, context, EventSender(channel))
  send(QuantizationEvent.Saved(saved))
}

/** A listener that sends its events to a channel. */
private class EventSender(private val channel: SendChannel<QuantizationEvent>) :
  QuantizationListener {

  override fun onProgress(progress: Progress) = tell(QuantizationEvent.Progressed(progress))

  override fun onWarning(warning: QuantizationWarning) = tell(QuantizationEvent.Warned(warning))

  private fun tell(event: QuantizationEvent) {
    try {
      channel.trySendBlocking(event)
    } catch (_: InterruptedException) {
      // The step checks the flag itself, at a place where it can end cleanly.
      Thread.currentThread().interrupt()
    }
  }
}
