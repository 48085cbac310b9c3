package dev.kvant.examples.int4

import java.nio.ByteBuffer
import java.nio.FloatBuffer
import kotlin.math.abs

/**
 * Four-bit integers that share a scale in groups.
 *
 * For each group of `size` values `w`: `scale = max|w| / 7`, or 1 where all are zero, and
 * `q = round(w / scale)` in -7..7, ties to even. Stored is `q + 8`, two to a byte, the first value
 * in the lower half. Read back as `(stored - 8) * scale`, which is off by `scale / 2` at most.
 */
class Int4Groups(private val size: Int) {

  /** Power of the values so far, of what they become, and of what they lost. */
  var power = 0.0
    private set

  var restoredPower = 0.0
    private set

  var noise = 0.0
    private set

  /**
   * Quantizes whole groups.
   *
   * @param values as many as fill whole groups
   * @param packed gets half a byte for each
   * @param scales gets one for each group
   * @throws ArithmeticException if a value is NaN or infinite
   */
  fun quantize(values: FloatBuffer, packed: ByteBuffer, scales: FloatBuffer) {
    val group = FloatArray(size)
    while (values.hasRemaining()) {
      values.get(group)
      val scale = scaleOf(group)
      scales.put(scale)
      for (i in group.indices step 2) {
        packed.put((stored(group[i], scale) or (stored(group[i + 1], scale) shl 4)).toByte())
      }
    }
  }

  private fun scaleOf(group: FloatArray): Float {
    var largest = 0f
    for (value in group) {
      if (!value.isFinite()) {
        throw ArithmeticException("a value is $value")
      }
      largest = maxOf(largest, abs(value))
    }
    val scale = largest / LARGEST
    // The smallest subnormal numbers have no seventh.
    return if (scale == 0f) 1f else scale
  }

  private fun stored(value: Float, scale: Float): Int {
    val integer = Math.rint((value / scale).toDouble()).toInt().coerceIn(-LARGEST, LARGEST)
    power += value.toDouble() * value
    restoredPower += (integer * scale).toDouble().let { it * it }
    noise += (value - integer * scale).toDouble().let { it * it }
    return integer + OFFSET
  }

  companion object {
    private const val LARGEST = 7
    private const val OFFSET = 8
  }
}
