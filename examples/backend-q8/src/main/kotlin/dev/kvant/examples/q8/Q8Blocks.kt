package dev.kvant.examples.q8

import dev.kvant.api.ElementType
import dev.kvant.kit.BlockCodec
import dev.kvant.numerics.Float16
import java.nio.ByteBuffer
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.sign

/**
 * Q8_0: 32 values in 34 bytes, a float16 scale and 32 signed bytes behind it.
 *
 * For values `w`: `d = max|w| / 127` and `q = round(w / d)`, half away from zero, with `d` in float32;
 * `d` is stored in float16. Read back as `q * d`.
 */
class Q8Blocks : BlockCodec {

  override fun blocks() = ElementType("q8_0", VALUES, Short.SIZE_BYTES + VALUES, false)

  override fun encode(values: FloatArray, blocks: ByteBuffer) {
    for (first in values.indices step VALUES) {
      var amax = 0f
      for (i in first until first + VALUES) {
        amax = maxOf(amax, abs(values[i]))
      }
      val scale = amax / LARGEST
      if (scale > MAX_FLOAT16) {
        throw ArithmeticException("the scale $scale exceeds the range of float16")
      }
      val inverse = if (scale == 0f) 0f else 1 / scale
      blocks.putShort(Float16.fromFloat(scale))
      for (i in first until first + VALUES) {
        val quotient = values[i] * inverse
        blocks.put((sign(quotient) * floor(abs(quotient.toDouble()) + 0.5)).toInt().toByte())
      }
    }
  }

  override fun decode(blocks: ByteBuffer, values: FloatArray) {
    for (first in values.indices step VALUES) {
      val scale = Float16.toFloat(blocks.short)
      for (i in first until first + VALUES) {
        values[i] = blocks.get() * scale
      }
    }
  }

  private companion object {
    const val VALUES = 32
    const val LARGEST = 127
    const val MAX_FLOAT16 = 65504f
  }
}
