package dev.kvant.kotlin

import dev.kvant.api.ActivationQuantizationConfig
import dev.kvant.api.Dtype
import dev.kvant.api.LayerQuantizationConfig
import dev.kvant.api.WeightQuantizationConfig

/**
 * What a rule of a [quantization] block can say. What it leaves out keeps what earlier rules said.
 *
 * @since 0.1.0
 */
@QuantizationDsl
public class LayerBuilder internal constructor(private val moduleName: String) {

  private var weights: WeightQuantizationConfig? = null
  private var activations: ActivationQuantizationConfig? = null

  /**
   * Says what becomes of weights.
   *
   * @param dtype what to quantize to; [Dtype.NATIVE] switches quantization off
   * @param quantAxis the axis along which scales differ; the backend says what null means to it
   * @param observerOrFakeQuant the algorithm that chooses the range, for this rule
   * @param observerOrFakeQuantKwargs options of that algorithm
   */
  public fun weights(
    dtype: Dtype? = null,
    quantAxis: Int? = null,
    observerOrFakeQuant: String? = null,
    observerOrFakeQuantKwargs: Map<String, Any> = emptyMap(),
  ) {
    weights =
      WeightQuantizationConfig(dtype, quantAxis, observerOrFakeQuant, observerOrFakeQuantKwargs)
  }

  /**
   * Says what becomes of activations.
   *
   * @param dtype what to quantize to; [Dtype.NATIVE] switches quantization off
   * @param quantAxis the axis along which scales differ; the backend says what null means to it
   * @param observerOrFakeQuant the algorithm that chooses the range, for this rule
   * @param observerOrFakeQuantKwargs options of that algorithm
   */
  public fun activations(
    dtype: Dtype? = null,
    quantAxis: Int? = null,
    observerOrFakeQuant: String? = null,
    observerOrFakeQuantKwargs: Map<String, Any> = emptyMap(),
  ) {
    activations =
      ActivationQuantizationConfig(dtype, quantAxis, observerOrFakeQuant, observerOrFakeQuantKwargs)
  }

  internal fun build(): LayerQuantizationConfig =
    LayerQuantizationConfig(moduleName, weights, activations)
}
