package dev.kvant.kotlin

import dev.kvant.api.Artifact
import dev.kvant.api.CalibrationAlgorithm
import dev.kvant.api.CalibrationDataset
import dev.kvant.api.Dtype
import dev.kvant.api.ElementType
import dev.kvant.api.ModuleDescription
import dev.kvant.api.PreparedModel
import dev.kvant.api.QuantizableModel
import dev.kvant.api.QuantizationMode
import dev.kvant.api.QuantizationPlan
import dev.kvant.api.QuantizationReport
import dev.kvant.api.QuantizedModel
import dev.kvant.api.SavedModel
import dev.kvant.api.TensorDescription
import dev.kvant.spi.ArtifactTransaction
import dev.kvant.spi.BackendDescriptor
import dev.kvant.spi.Calibratable
import dev.kvant.spi.ModeDescriptor
import dev.kvant.spi.ProgressReporter
import dev.kvant.spi.QuantizationBackend
import dev.kvant.spi.Quantizer
import dev.kvant.spi.QuantizerContext
import dev.kvant.spi.Support
import dev.kvant.spi.SupportQuery
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch

/** A model of one module that lies nowhere. */
class ToyModel : QuantizableModel {

  var closed = false
    private set

  override fun source(): Path = Path.of("toy.model")

  override fun format() = "toy"

  override fun modules() =
    listOf(
      ModuleDescription(
        listOf("fc"),
        listOf("Linear"),
        false,
        listOf(TensorDescription("weight", ElementType.FLOAT32, listOf(4L), "0")),
      )
    )

  override fun tensorBytes() = 16L

  override fun close() {
    closed = true
  }
}

/**
 * Writes one file in a hundred steps. With [endless] it works on the first until it is interrupted,
 * and counts [begun] down.
 */
class ToyBackend(private val endless: Boolean = false) : QuantizationBackend {

  val begun = CountDownLatch(1)
  val calls = mutableListOf<String>()

  override fun descriptor() =
    BackendDescriptor(
      "toy",
      listOf(),
      "1.0",
      "Writes one file.",
      mapOf(
        QuantizationMode.STATIC_PTQ to
          ModeDescriptor(
            listOf(Dtype.INT8),
            listOf(Dtype.INT8),
            listOf(CalibrationAlgorithm.MINMAX),
          )
      ),
      listOf("toy"),
      listOf(ARTIFACT),
      listOf(),
    )

  override fun supports(query: SupportQuery): Support = Support.yes()

  override fun create(context: QuantizerContext): Quantizer = ToyQuantizer(context)

  private inner class ToyQuantizer(private val context: QuantizerContext) :
    Quantizer, Calibratable {

    override fun calibrate(model: PreparedModel, data: CalibrationDataset) {
      calls += "calibrate"
    }

    override fun quantize(model: PreparedModel): QuantizedModel {
      calls += "quantize"
      return object : QuantizedModel {
        override fun plan(): QuantizationPlan = model.plan

        override fun close() = Unit
      }
    }

    override fun save(model: QuantizedModel, directory: Path): SavedModel =
      ArtifactTransaction.begin(directory).use { transaction ->
        val file = transaction.create(ARTIFACT)
        Files.writeString(file, "quantized")
        val progress = ProgressReporter(context.listener, "save", STEPS, "steps")
        begun.countDown()
        while (endless) {
          progress.checkCancelled()
          Thread.onSpinWait()
        }
        for (step in 1..STEPS) {
          progress.advance(1, "step $step")
        }
        transaction.commit()
        val plan = model.plan()
        SavedModel(
          listOf(Artifact(directory.resolve(ARTIFACT), "toy", 9, "Nothing.")),
          QuantizationReport(plan.backend, plan.mode, listOf(), plan.warnings),
        )
      }

    override fun close() {
      calls += "close"
    }
  }

  companion object {
    const val ARTIFACT = "toy.out"
    const val STEPS = 100L
  }
}
