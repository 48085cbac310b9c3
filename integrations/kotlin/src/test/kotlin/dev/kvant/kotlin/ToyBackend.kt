package dev.kvant.kotlin

import dev.kvant.api.Artifact
import dev.kvant.api.CalibrationAlgorithm
import dev.kvant.api.CalibrationDataset
import dev.kvant.api.Dtype
import dev.kvant.api.ElementType
import dev.kvant.api.ModelTensor
import dev.kvant.api.ModuleDescription
import dev.kvant.api.QuantizableModel
import dev.kvant.api.QuantizationMode
import dev.kvant.api.QuantizationPlan
import dev.kvant.api.QuantizationReport
import dev.kvant.api.SavedModel
import dev.kvant.api.TensorDescription
import dev.kvant.spi.ArtifactTransaction
import dev.kvant.spi.BackendDescriptor
import dev.kvant.spi.CalibrationStatistics
import dev.kvant.spi.ModeDescriptor
import dev.kvant.spi.Observation
import dev.kvant.spi.ProgressReporter
import dev.kvant.spi.QuantizationBackend
import dev.kvant.spi.QuantizationRun
import dev.kvant.spi.RunContext
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

  override fun tensors(): Map<String, ModelTensor> = mapOf()

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
    BackendDescriptor.builder("toy")
      .version("1.0")
      .description("Writes one file.")
      .mode(
        QuantizationMode.STATIC_PTQ,
        ModeDescriptor.builder()
          .weights(listOf(Dtype.INT8))
          .activations(listOf(Dtype.INT8))
          .algorithms(listOf(CalibrationAlgorithm.MINMAX))
          .calibration(ModeDescriptor.Calibration.OPTIONAL)
          .build(),
      )
      .format("toy")
      .artifact(ARTIFACT)
      .build()

  override fun supports(query: SupportQuery): Support = Support.yes()

  override fun begin(
    model: QuantizableModel,
    plan: QuantizationPlan,
    context: RunContext,
  ): QuantizationRun = ToyRun(plan, context)

  private inner class ToyRun(private val plan: QuantizationPlan, private val context: RunContext) :
    QuantizationRun {

    override fun observe(data: CalibrationDataset, least: Observation): CalibrationStatistics {
      calls += "calibrate"
      return CalibrationStatistics.NONE
    }

    override fun use(statistics: CalibrationStatistics) = Unit

    override fun quantize() {
      calls += "quantize"
    }

    override fun save(directory: Path): SavedModel =
      ArtifactTransaction.begin(directory).use { transaction ->
        val file = transaction.create(ARTIFACT)
        Files.writeString(file, "quantized")
        val progress = ProgressReporter(context.listener(), "save", STEPS, "steps")
        begun.countDown()
        while (endless) {
          progress.checkCancelled()
          Thread.onSpinWait()
        }
        for (step in 1..STEPS) {
          progress.advance(1, "step $step")
        }
        transaction.commit()
        SavedModel(
          listOf(Artifact.of(directory.resolve(ARTIFACT), "toy", "Nothing.")),
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
