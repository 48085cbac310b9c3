package dev.kvant.examples.int4

import dev.kvant.spi.QuantizationBackend
import dev.kvant.tck.QuantizationBackendContract
import dev.kvant.tck.SampleModel
import dev.kvant.torch.TorchFormat
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.util.Optional
import kotlin.random.Random

/** All that Kvant asks of a backend. */
class Int4BackendContractTest : QuantizationBackendContract() {

  override fun newBackend(): QuantizationBackend = Int4Backend()

  override fun samples(): List<SampleModel> = listOf(sample("two layers", Random(1)::nextFloat))

  override fun sampleWithNonFiniteWeight(): Optional<SampleModel> =
    Optional.of(sample("two layers with NaN") { Float.NaN })

  /** Safetensors have no place for a record that is read back. */
  override fun artifactsCarryTheirRecord(): Boolean = false

  private fun sample(name: String, value: () -> Float): SampleModel {
    val file = Path.of("target", "$name.safetensors")
    Files.createFile(file.also(Files::deleteIfExists))
    SafetensorsWriter.write(
      file,
      listOf(
        floats("fc1.weight", value, 16, 64),
        floats("fc1.bias", value, 16),
        floats("fc2.weight", value, 8, 32),
        floats("norm.weight", value, 16),
      ),
    )
    return SampleModel(name, file, TorchFormat())
  }

  private fun floats(name: String, value: () -> Float, vararg shape: Long): Entry {
    val elements = shape.reduce(Long::times).toInt()
    val content = ByteBuffer.allocate(elements * Float.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
    repeat(elements) { content.putFloat(value()) }
    return Entry(name, "F32", shape.toList(), content.capacity().toLong()) {
      it.write(content.array())
    }
  }
}
