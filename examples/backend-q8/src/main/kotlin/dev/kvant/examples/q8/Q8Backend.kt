package dev.kvant.examples.q8

import dev.kvant.api.Dtype
import dev.kvant.api.QuantizableModel
import dev.kvant.api.QuantizationMode
import dev.kvant.api.QuantizationPlan
import dev.kvant.kit.WeightOnlyRun
import dev.kvant.kit.WeightValues
import dev.kvant.spi.BackendDescriptor
import dev.kvant.spi.JarVersion
import dev.kvant.spi.ModeDescriptor
import dev.kvant.spi.QuantizationBackend
import dev.kvant.spi.RunContext
import dev.kvant.spi.Support
import dev.kvant.spi.SupportQuery

/** Quantizes weight matrices to blocks of 32 values of 8 bits. */
class Q8Backend : QuantizationBackend {

  private val codec = Q8Blocks()

  override fun descriptor(): BackendDescriptor = DESCRIPTOR

  override fun supports(query: SupportQuery): Support {
    val weight = query.module.weight().orElse(null) ?: return Support.no("it has no weight")
    return when {
      !WeightValues.supports(weight.elementType) ->
        Support.no("its weight is ${weight.elementType}, not float32, float16 or bfloat16")
      weight.shape.size != 2 -> Support.no("its weight of shape ${weight.shape} is not a matrix")
      weight.shape[1] % codec.blocks().blockElements != 0L ->
        Support.no("its rows of ${weight.shape[1]} values do not fall into blocks of 32")
      else -> Support.yes()
    }
  }

  override fun begin(model: QuantizableModel, plan: QuantizationPlan, context: RunContext) =
    WeightOnlyRun.ofBlocks(model, plan, context, ARTIFACT, "Weights in Q8_0 blocks.", codec)

  private companion object {
    const val ARTIFACT = "quantized_model_q8.safetensors"

    val DESCRIPTOR: BackendDescriptor =
      BackendDescriptor.builder("q8")
        .version(JarVersion.of(Q8Backend::class.java))
        .description("Quantizes weight matrices to Q8_0 blocks.")
        .mode(
          QuantizationMode.WEIGHT_ONLY_PTQ,
          ModeDescriptor.builder().weights(listOf(Dtype.of("q8_0"))).build(),
        )
        .format("torchscript")
        .format("pytorch")
        .format("safetensors")
        .artifact(ARTIFACT)
        .build()
  }
}
