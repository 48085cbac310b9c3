package dev.kvant.kotlin

import dev.kvant.api.CalibrationAlgorithm
import dev.kvant.api.CalibrationConfig
import dev.kvant.api.DataConfig
import dev.kvant.api.Device
import dev.kvant.api.Dtype
import dev.kvant.api.EvaluationConfig
import dev.kvant.api.EvaluationGates
import dev.kvant.api.LabelKind
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.NonFiniteValues
import dev.kvant.api.QuantizationMode
import dev.kvant.api.VerificationConfig
import java.nio.file.Path

/**
 * A configuration that is written as a block.
 *
 * ```kotlin
 * val config = quantization {
 *   backend = "torchao"
 *   layer("Linear") { weights(INT8) }
 *   skip("*.head")
 * }
 * ```
 *
 * Like any [ModelQuantizationConfig], it is validated when a quantizer is made of it.
 *
 * @param from where to start; every default by default
 * @since 0.1.0
 */
public fun quantization(
  from: ModelQuantizationConfig = ModelQuantizationConfig.builder().build(),
  block: QuantizationBuilder.() -> Unit,
): ModelQuantizationConfig = QuantizationBuilder(from).apply(block).build()

/**
 * What a [quantization] block can say: the components of [ModelQuantizationConfig], which tells
 * what each is for.
 *
 * @since 0.1.0
 */
@QuantizationDsl
public class QuantizationBuilder internal constructor(from: ModelQuantizationConfig) {

  private val builder = from.toBuilder()

  /** The backend, by id or alias. */
  public var backend: String = from.backend

  /** How to quantize; null means the backend's default or only mode. */
  public var mode: QuantizationMode? = from.mode

  /** How calibration chooses ranges. */
  public var algorithm: CalibrationAlgorithm = from.algorithm

  /** What weights become that no rule speaks about. */
  public var defaultLayerDtype: Dtype = from.defaultLayerDtype

  /** What activations become that no rule speaks about. */
  public var defaultActivationDtype: Dtype = from.defaultActivationDtype

  /** The trained model, if it is not given otherwise. */
  public var modelPath: Path? = from.modelPath

  /** Where artifacts go, if that is not given otherwise. */
  public var resultsDir: Path? = from.resultsDir

  /** Whether a rule without any effect is an error. */
  public var strict: Boolean = from.strict

  /** Where the model runs for calibration and evaluation. */
  public var device: Device = from.device

  /** Adds a rule for the modules that a pattern matches; it overrides those added before. */
  public fun layer(moduleName: String, block: LayerBuilder.() -> Unit) {
    builder.layer(LayerBuilder(moduleName).apply(block).build())
  }

  /** Adds patterns of modules that stay native whatever the rules say. */
  public fun skip(vararg patterns: String) {
    patterns.forEach(builder::skip)
  }

  /** Says which class the modules are of whose names match a pattern. */
  public fun moduleClass(pattern: String, className: String) {
    builder.moduleClass(pattern, className)
  }

  /** Sets an option of the backend. */
  public fun backendKwarg(key: String, value: Any) {
    builder.backendKwarg(key, value)
  }

  /** Says where calibration data comes from; [options] are settings of its data reader. */
  public fun calibration(
    path: Path,
    batchSize: Int? = null,
    maxBatches: Int? = null,
    reader: String? = null,
    options: Map<String, Any> = emptyMap(),
    nonFinite: NonFiniteValues = NonFiniteValues.REFUSE,
  ) {
    builder.calibration(
      CalibrationConfig(DataConfig(path, reader, options), batchSize, maxBatches, nonFinite)
    )
  }

  /** Says on what data the model is compared before and after; [options] as for calibration. */
  public fun evaluation(
    path: Path,
    batchSize: Int? = null,
    reader: String? = null,
    options: Map<String, Any> = emptyMap(),
    labels: LabelKind = LabelKind.CLASSES,
    gates: EvaluationGates = EvaluationGates.NONE,
  ) {
    builder.evaluation(
      EvaluationConfig(DataConfig(path, reader, options), batchSize, labels, gates)
    )
  }

  /**
   * Says on how many samples artifacts are compared with their source, and what they must reach.
   */
  public fun verify(samples: Int = VerificationConfig.DEFAULT_SAMPLES, minSqnr: Double? = null) {
    builder.verify(VerificationConfig(true, samples, minSqnr))
  }

  /** Leaves artifacts as they were written, without running them. */
  public fun dontVerify() {
    builder.verify(VerificationConfig.OFF)
  }

  internal fun build(): ModelQuantizationConfig =
    builder
      .backend(backend)
      .mode(mode)
      .algorithm(algorithm)
      .defaultLayerDtype(defaultLayerDtype)
      .defaultActivationDtype(defaultActivationDtype)
      .modelPath(modelPath)
      .resultsDir(resultsDir)
      .strict(strict)
      .device(device)
      .build()
}
