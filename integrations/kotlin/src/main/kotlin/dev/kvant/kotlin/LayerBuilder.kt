package dev.kvant.kotlin

import dev.kvant.api.ActivationQuantizationConfig
import dev.kvant.api.Dtype
import dev.kvant.api.Granularity
import dev.kvant.api.LayerQuantizationConfig
import dev.kvant.api.WeightQuantizationConfig

/**
 * A rule in a [quantization] block. Settings that it omits keep the values of earlier rules.
 *
 * @since 0.1.0
 */
@QuantizationDsl
public class LayerBuilder internal constructor(private val moduleName: String) {

  private var weights: WeightQuantizationConfig? = null
  private var activations: ActivationQuantizationConfig? = null

  /**
   * Sets how weights are quantized.
   *
   * @param dtype the dtype after quantization; [Dtype.NATIVE] disables quantization
   * @param quantAxis the axis along which scales differ, counted from the end if negative; another
   *   spelling of `Granularity.axis(quantAxis)`
   * @param observerOrFakeQuant the algorithm that chooses the range, for this rule
   * @param observerOrFakeQuantKwargs options of that algorithm
   * @param granularity which values share a scale; the backend documents what holds where no rule
   *   says it
   */
  public fun weights(
    dtype: Dtype? = null,
    quantAxis: Int? = null,
    observerOrFakeQuant: String? = null,
    observerOrFakeQuantKwargs: Map<String, Any> = emptyMap(),
    granularity: Granularity? = null,
  ) {
    weights =
      WeightQuantizationConfig(
        dtype,
        quantAxis,
        granularity,
        observerOrFakeQuant,
        observerOrFakeQuantKwargs,
      )
  }

  /**
   * Sets how activations are quantized.
   *
   * @param dtype the dtype after quantization; [Dtype.NATIVE] disables quantization
   * @param quantAxis the axis along which scales differ, counted from the end if negative; another
   *   spelling of `Granularity.axis(quantAxis)`
   * @param observerOrFakeQuant the algorithm that chooses the range, for this rule
   * @param observerOrFakeQuantKwargs options of that algorithm
   * @param granularity which values share a scale; the backend documents what holds where no rule
   *   says it
   */
  public fun activations(
    dtype: Dtype? = null,
    quantAxis: Int? = null,
    observerOrFakeQuant: String? = null,
    observerOrFakeQuantKwargs: Map<String, Any> = emptyMap(),
    granularity: Granularity? = null,
  ) {
    activations =
      ActivationQuantizationConfig(
        dtype,
        quantAxis,
        granularity,
        observerOrFakeQuant,
        observerOrFakeQuantKwargs,
      )
  }

  internal fun build(): LayerQuantizationConfig =
    LayerQuantizationConfig(moduleName, weights, activations)
}
