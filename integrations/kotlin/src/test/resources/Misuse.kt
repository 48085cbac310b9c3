import dev.kvant.api.Device
import dev.kvant.api.Dtype
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.ModuleReport
import dev.kvant.api.OperandDecision
import dev.kvant.api.QuantizationMode
import dev.kvant.api.SavedModel
import dev.kvant.kotlin.kvant
import dev.kvant.kotlin.quantization
import dev.kvant.kotlin.quantizeModel
import dev.kvant.runtime.Kvant
import java.nio.file.Path

val config: ModelQuantizationConfig = quantization {
  backend = "torchao"
  backend = null // wrong
  mode = null
  algorithm = null // wrong
  layer("Linear") {
    weights(Dtype.INT8)
    weights(null)
    weights("int8") // wrong
    layer("Conv2d") { weights(Dtype.INT8) } // wrong
    skip("*.head") // wrong
  }
  layer(null) { weights(Dtype.INT8) } // wrong
  skip(null) // wrong
  backendKwarg("runtime_modules", null) // wrong
  resultsDir = null
}

fun read(config: ModelQuantizationConfig, report: ModuleReport, decision: OperandDecision) {
  val mayBeMissing: QuantizationMode? = config.mode
  val mode: QuantizationMode = config.mode // wrong
  val folder: Path = config.resultsDir // wrong
  report.weights.sqnrDecibels?.toInt()
  report.weights.sqnrDecibels.toInt() // wrong
  decision.reason?.length
  decision.reason.length // wrong
  decision.decidedBy.pattern // wrong
  decision.dtype.name
  println("$mayBeMissing")
}

suspend fun use(path: Path): SavedModel =
  kvant { pluginDirectory(path) }
    .use { kvant ->
      kvant.runner(path, Device.CPU).use { runner -> runner.inputs() }
      kvant.runner(path, null) // wrong
      kvant.load(null) // wrong
      kvant.load(path).use { model ->
        kvant.quantizer(config).use { quantizer ->
          quantizer.quantizeModel(model).use { quantized -> quantizer.saveModel(quantized, path) }
          quantizer.saveModel(null, path) // wrong
        }
        kvant.quantizeModel(null, config, path) // wrong
        kvant.quantizeModel(model, config, path)
      }
    }

fun listen(builder: Kvant.Builder) {
  builder.listener(null) // wrong
  builder.parallelism(2)
}
