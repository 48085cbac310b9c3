package dev.kvant.examples.int4

import dev.kvant.api.ConfigurationProblem
import dev.kvant.api.Dtype
import dev.kvant.api.ElementType
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.QuantizationMode
import dev.kvant.spi.BackendDescriptor
import dev.kvant.spi.JarVersion
import dev.kvant.spi.ModeDescriptor
import dev.kvant.spi.OptionDescriptor
import dev.kvant.spi.QuantizationBackend
import dev.kvant.spi.Quantizer
import dev.kvant.spi.QuantizerContext
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
      weight.elementType != ElementType.FLOAT32 ->
        Support.no("its weight is ${weight.elementType}, and int4 starts from float32")
      weight.shape.size != 2 || weight.shape[1] % group != 0L ->
        Support.no("its weight of shape ${weight.shape} does not fall into groups of $group")
      else -> Support.yes()
    }
  }

  override fun create(context: QuantizerContext): Quantizer = Int4Quantizer(context)

  companion object {
    val INT4: Dtype = Dtype.of("int4")
    const val ARTIFACT = "quantized_model_int4.safetensors"
    const val GROUP_SIZE = "group_size"
    private const val DEFAULT_GROUP_SIZE = 32

    private val DESCRIPTOR =
      BackendDescriptor(
        "int4",
        listOf("w4a16"),
        JarVersion.of(Int4Backend::class.java),
        "Quantizes the weights of Linear modules to four bits.",
        mapOf(
          QuantizationMode.WEIGHT_ONLY_PTQ to ModeDescriptor(listOf(INT4), listOf(), listOf())
        ),
        listOf("torchscript", "pytorch", "safetensors"),
        listOf(ARTIFACT),
        listOf(
          OptionDescriptor(
            GROUP_SIZE,
            OptionDescriptor.Type.INTEGER,
            listOf(),
            DEFAULT_GROUP_SIZE.toString(),
            "How many values along the input share a scale.",
          )
        ),
      )

    /** The option, or its default. */
    fun groupSize(config: ModelQuantizationConfig): Int =
      (config.backendKwargs[GROUP_SIZE] as? Number)?.toInt() ?: DEFAULT_GROUP_SIZE
  }
}
