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
 * Takes a model through all steps, from its plan to its artifacts, and suspends meanwhile.
 *
 * Cancellation interrupts the thread that works. It ends the step that it is in, and leaves nothing
 * half-written: older artifacts stay as they were.
 *
 * @param model the model; it stays open and as it is
 * @param config what to do
 * @param directory where the artifacts go; the configuration's `resultsDir` by default
 * @param data what to calibrate with, where backend and mode ask for it
 * @param context where to work
 * @param listener hears of progress and warnings, on the thread that works
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
      // What coroutines know as cancelled, and do not report as a failure.
      throw InterruptedException(e.message).initCause(e)
    }
  }

/**
 * The same as a flow: progress and warnings while the steps last, then [QuantizationEvent.Saved].
 *
 * Cold: each collection quantizes anew. A collector that is slow holds the work up; with
 * [kotlinx.coroutines.flow.conflate] it sees only the latest event, and holds nothing up.
 *
 * @param model the model; it stays open and as it is
 * @param config what to do
 * @param directory where the artifacts go; the configuration's `resultsDir` by default
 * @param data what to calibrate with, where backend and mode ask for it
 * @param context where to work
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

/** Tells a channel what a listener hears. */
private class EventSender(private val channel: SendChannel<QuantizationEvent>) :
  QuantizationListener {

  override fun onProgress(progress: Progress) = tell(QuantizationEvent.Progressed(progress))

  override fun onWarning(warning: QuantizationWarning) = tell(QuantizationEvent.Warned(warning))

  private fun tell(event: QuantizationEvent) {
    try {
      channel.trySendBlocking(event)
    } catch (_: InterruptedException) {
      // The step looks at the flag itself, where it can end cleanly.
      Thread.currentThread().interrupt()
    }
  }
}
