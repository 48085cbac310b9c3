package dev.kvant.examples.q8

import dev.kvant.api.ElementType
import dev.kvant.api.QuantizableModel
import dev.kvant.spi.QuantizationBackend
import dev.kvant.tck.QuantizationBackendContract
import dev.kvant.tck.SampleFile
import dev.kvant.tck.SampleModel
import dev.kvant.tck.StoredValues
import dev.kvant.torch.TorchFormat
import java.util.Optional

/** All that Kvant asks of a backend. */
class Q8BackendContractTest : QuantizationBackendContract() {

  override fun newBackend(): QuantizationBackend = Q8Backend()

  override fun samples(): List<SampleModel> =
    listOf(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16).map {
      twoLayers("two layers in $it", it).tensor("norm.weight", it, 16).openedBy(TorchFormat())
    }

  override fun sampleWithNonFiniteWeight(): Optional<SampleModel> =
    Optional.of(
      twoLayers("two layers with NaN", ElementType.FLOAT32)
        .tensorWithNan("fc3.weight", ElementType.FLOAT32, 8, 32)
        .openedBy(TorchFormat())
    )

  override fun restoredWeight(artifact: QuantizableModel, module: String): Optional<FloatArray> =
    Optional.ofNullable(artifact.tensors()["$module.weight"]).map {
      StoredValues.decoded(it, Q8Blocks())
    }

  /** A safetensors file has no place for a record that is read back. */
  override fun artifactsCarryTheirRecord(): Boolean = false

  private fun twoLayers(name: String, type: ElementType) =
    SampleFile.named(name)
      .tensor("fc1.weight", type, 16, 64)
      .tensor("fc1.bias", type, 16)
      .tensor("fc2.weight", type, 8, 32)
}
