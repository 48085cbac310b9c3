package dev.kvant.kotlin

import dev.kvant.api.CalibrationDataset
import dev.kvant.api.Dtype.INT8
import dev.kvant.api.InvalidConfigurationException
import dev.kvant.api.Progress
import dev.kvant.api.QuantizationListener
import dev.kvant.api.QuantizationWarning
import dev.kvant.api.SavedModel
import dev.kvant.api.Tensor
import dev.kvant.api.TensorBatch
import java.nio.file.Files
import java.nio.file.Path
import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withTimeout
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatThrownBy
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

@Timeout(60)
@OptIn(ExperimentalCoroutinesApi::class)
class QuantizeTest {

  private val config = quantization {
    backend = "toy"
    layer("Linear") { weights(INT8) }
  }

  private val data =
    CalibrationDataset.of(listOf(TensorBatch.of(Tensor.ofFloats(floatArrayOf(1f), 1))))

  @TempDir lateinit var results: Path

  private fun toy(backend: ToyBackend) = kvant {
    withoutDiscovery()
    backend(backend)
  }

  @Test
  fun `quantizeModel writes the artifacts, closes its quantizer and leaves the model open`() {
    val backend = ToyBackend()
    val model = ToyModel()
    val saved = toy(backend).use { runBlocking { it.quantizeModel(model, config, results) } }
    assertThat(saved.artifacts).extracting<Path> { it.path }.containsExactly(artifact())
    assertThat(artifact()).hasContent("quantized")
    assertThat(backend.calls).containsExactly("quantize", "close")
    assertThat(model.closed).isFalse()
  }

  @Test
  fun `quantizeModel calibrates with the data that it is given`() {
    val backend = ToyBackend()
    toy(backend).use { runBlocking { it.quantizeModel(ToyModel(), config, results, data) } }
    assertThat(backend.calls).containsExactly("calibrate", "quantize", "close")
  }

  @Test
  fun `quantizeModel saves into the results folder of the configuration`() {
    val withFolder = quantization(from = config) { resultsDir = results }
    toy(ToyBackend()).use { runBlocking { it.quantizeModel(ToyModel(), withFolder) } }
    assertThat(artifact()).exists()
  }

  @Test
  fun `quantizeModel does not work on the thread of its caller`() {
    val threads = mutableSetOf<Thread>()
    val listener =
      object : QuantizationListener {
        override fun onProgress(progress: Progress) {
          threads += Thread.currentThread()
        }
      }
    toy(ToyBackend()).use {
      runBlocking { it.quantizeModel(ToyModel(), config, results, listener = listener) }
    }
    assertThat(threads).hasSize(1).doesNotContain(Thread.currentThread())
  }

  @Test
  fun `an error of Kvant arrives as it is`() {
    val wrong = quantization(from = config) { backend = "toi" }
    toy(ToyBackend()).use { kvant ->
      assertThatThrownBy { runBlocking { kvant.quantizeModel(ToyModel(), wrong, results) } }
        .isInstanceOf(InvalidConfigurationException::class.java)
        .hasMessageContaining("no backend 'toi' is installed")
    }
  }

  @Test
  fun `cancellation interrupts the work and leaves the old artifact as it was`() {
    Files.writeString(artifact(), "old")
    val backend = ToyBackend(endless = true)
    toy(backend).use { kvant ->
      runBlocking {
        val job = async { kvant.quantizeModel(ToyModel(), config, results) }
        runInterruptible(Dispatchers.IO) { backend.begun.await() }
        job.cancelAndJoin()
        assertThat(job.isCancelled).isTrue()
        assertThat(job.getCompletionExceptionOrNull())
          .isInstanceOf(CancellationException::class.java)
      }
    }
    assertThat(results.toFile().list()).containsExactly(ToyBackend.ARTIFACT)
    assertThat(artifact()).hasContent("old")
    assertThat(backend.calls).endsWith("close")
  }

  @Test
  fun `a timeout cancels as well`() {
    val backend = ToyBackend(endless = true)
    toy(backend).use { kvant ->
      assertThatThrownBy {
          runBlocking { withTimeout(100) { kvant.quantizeModel(ToyModel(), config, results) } }
        }
        .isInstanceOf(CancellationException::class.java)
    }
    assertThat(results).isEmptyDirectory()
  }

  @Test
  fun `the flow tells of all progress and ends with what was saved`() {
    val events =
      toy(ToyBackend()).use {
        runBlocking { it.quantizationEvents(ToyModel(), config, results).toList() }
      }
    assertThat(events.dropLast(1).map { (it as QuantizationEvent.Progressed).progress.done })
      .isEqualTo((0..ToyBackend.STEPS).toList())
    assertThat((events.last() as QuantizationEvent.Saved).model)
      .isInstanceOf(SavedModel::class.java)
  }

  @Test
  fun `the flow tells of warnings`() {
    val lenient =
      quantization(from = config) {
        layer("NoSuchLayer") { weights(INT8) }
        strict = false
      }
    val events =
      toy(ToyBackend()).use {
        runBlocking { it.quantizationEvents(ToyModel(), lenient, results).toList() }
      }
    assertThat(events.filterIsInstance<QuantizationEvent.Warned>().map { it.warning.kind })
      .containsExactly(QuantizationWarning.Kind.NO_MATCH)
  }

  @Test
  fun `the flow is cold and quantizes once for each collection`() {
    val backend = ToyBackend()
    toy(backend).use { kvant ->
      val events = kvant.quantizationEvents(ToyModel(), config, results)
      assertThat(backend.calls).isEmpty()
      runBlocking {
        events.toList()
        events.toList()
      }
    }
    assertThat(backend.calls.filter { it == "quantize" }).hasSize(2)
  }

  @Test
  fun `a conflated flow still ends with what was saved`() {
    val events =
      toy(ToyBackend()).use {
        runBlocking { it.quantizationEvents(ToyModel(), config, results).conflate().toList() }
      }
    assertThat(events.last()).isInstanceOf(QuantizationEvent.Saved::class.java)
  }

  @Test
  fun `a collector that leaves cancels the work`() {
    val backend = ToyBackend(endless = true)
    val first =
      toy(backend).use {
        runBlocking { it.quantizationEvents(ToyModel(), config, results).first() }
      }
    assertThat(first).isInstanceOf(QuantizationEvent.Progressed::class.java)
    assertThat(results).isEmptyDirectory()
    assertThat(backend.calls).endsWith("close")
  }

  private fun artifact(): Path = results.resolve(ToyBackend.ARTIFACT)
}
