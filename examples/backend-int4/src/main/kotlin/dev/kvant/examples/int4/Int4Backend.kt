package dev.kvant.examples.int4

import dev.kvant.api.ConfigurationProblem
import dev.kvant.api.Dtype
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.QuantizableModel
import dev.kvant.api.QuantizationMode
import dev.kvant.api.QuantizationPlan
import dev.kvant.kit.WeightOnlyRun
import dev.kvant.kit.WeightValues
import dev.kvant.spi.BackendDescriptor
import dev.kvant.spi.JarVersion
import dev.kvant.spi.ModeDescriptor
import dev.kvant.spi.OptionDescriptor
import dev.kvant.spi.Options
import dev.kvant.spi.QuantizationBackend
import dev.kvant.spi.QuantizationRun
import dev.kvant.spi.RunContext
import dev.kvant.spi.Support
import dev.kvant.spi.SupportQuery

/** Quantizes the weights of Linear modules to four bits, in groups along the input. */
class Int4Backend : QuantizationBackend {

  override fun descriptor() = DESCRIPTOR

  override fun validate(config: ModelQuantizationConfig): List<ConfigurationProblem> =
    if (groupSize(config) >= 2 && groupSize(config) % 2 == 0) listOf()
    else
      listOf(
        ConfigurationProblem(
          "quantize.backend_kwargs.$GROUP_SIZE",
          "must be an even number of at least 2, was ${groupSize(config)}",
        )
      )

  override fun supports(query: SupportQuery): Support {
    val module = query.module
    val weight = module.weight().orElse(null)
    val group = groupSize(query.config)
    return when {
      "Linear" !in module.types -> Support.no("int4 is for Linear modules")
      weight == null -> Support.no("it has no weight of its own")
      !WeightValues.supports(weight.elementType) ->
        Support.no("its weight is ${weight.elementType}, not float32, float16 or bfloat16")
      weight.shape.size != 2 || weight.shape[1] % group != 0L ->
        Support.no("its weight of shape ${weight.shape} does not fall into groups of $group")
      else -> Support.yes()
    }
  }

  override fun begin(
    model: QuantizableModel,
    plan: QuantizationPlan,
    context: RunContext,
  ): QuantizationRun {
    val groupSize = context.options().integer(GROUP_SIZE)
    return WeightOnlyRun(model, plan, context, ARTIFACT, "Weights of four bits, with their scales.") {
      weight,
      _ ->
      Int4Weight(weight, groupSize)
    }
  }

  companion object {
    val INT4: Dtype = Dtype.of("int4")
    const val ARTIFACT = "quantized_model_int4.safetensors"
    const val GROUP_SIZE = "group_size"
    private const val DEFAULT_GROUP_SIZE = 32

    private val DESCRIPTOR =
      BackendDescriptor.builder("int4")
        .alias("w4a16")
        .version(JarVersion.of(Int4Backend::class.java))
        .description("Quantizes the weights of Linear modules to four bits.")
        .mode(
          QuantizationMode.WEIGHT_ONLY_PTQ,
          ModeDescriptor.builder().weights(listOf(INT4)).build(),
        )
        .format("torchscript")
        .format("pytorch")
        .format("safetensors")
        .artifact(ARTIFACT)
        .option(
          OptionDescriptor(
            GROUP_SIZE,
            OptionDescriptor.Type.INTEGER,
            listOf(),
            DEFAULT_GROUP_SIZE.toString(),
            "How many values along the input share a scale.",
          )
        )
        .build()

    /** The option, or its default. */
    fun groupSize(config: ModelQuantizationConfig): Int =
      Options.of(DESCRIPTOR.options, config.backendKwargs).integer(GROUP_SIZE)
  }
}
