package dev.kvant.examples.int4

import dev.kvant.api.ElementType
import dev.kvant.api.Granularity
import dev.kvant.kit.ByteProgress
import dev.kvant.kit.OutputTensor
import dev.kvant.kit.WeightEncoder
import dev.kvant.kit.WeightValues
import dev.kvant.numerics.QuantizationError
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** One weight on its way to the file: packed codes, and behind them their scales. */
class Int4Weight(private val weight: WeightValues, private val groupSize: Int) :
  WeightEncoder.Encoding {

  private val groups = Int4Groups(groupSize)

  // An eighth of the packed weight, and written after it.
  private val scales: ByteBuffer by lazy {
    val bytes = Math.toIntExact(weight.tensor.elements() / groupSize * Float.SIZE_BYTES)
    ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN)
  }

  override fun tensors(): List<OutputTensor> {
    val (rows, columns) = weight.tensor.shape()
    return listOf(
      OutputTensor("${weight.name}_int4", ElementType.UINT8, listOf(rows, columns / 2), ::pack),
      OutputTensor(
        "${weight.name}_scales",
        ElementType.FLOAT32,
        listOf(rows, columns / groupSize),
      ) { out, _ ->
        out.write(scales.array())
      },
    )
  }

  override fun granularity(): Granularity = Granularity.group(groupSize)

  override fun error() = QuantizationError(groups.power, groups.restoredPower, groups.noise)

  private fun pack(out: OutputStream, progress: ByteProgress) {
    val size = maxOf(BLOCK / groupSize, 1) * groupSize
    val elements = weight.tensor.elements()
    val target = scales.asFloatBuffer()
    for (first in 0 until elements step size.toLong()) {
      val values = weight.read(first, minOf(size.toLong(), elements - first).toInt())
      val packed = ByteBuffer.allocate(values.size / 2)
      groups.quantize(FloatBuffer.wrap(values), packed, target)
      out.write(packed.array())
      progress.advance(weight.tensor.elementType().bytes(values.size.toLong()), weight.name)
    }
  }

  private companion object {
    /** How many elements are in memory at once. */
    const val BLOCK = 1 shl 16
  }
}
