package dev.kvant.examples.int4

import java.nio.ByteBuffer
import java.nio.FloatBuffer
import kotlin.math.abs
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class Int4GroupsTest {

  private fun quantize(size: Int, vararg values: Float): Pair<ByteArray, FloatArray> {
    val packed = ByteBuffer.allocate(values.size / 2)
    val scales = FloatBuffer.allocate(values.size / size)
    Int4Groups(size).quantize(FloatBuffer.wrap(values), packed, scales)
    return packed.array() to scales.array()
  }

  @Test
  fun `the largest magnitude becomes seven, and the first value lies in the lower half`() {
    val (packed, scales) = quantize(4, 7f, -7f, 1f, 0f)
    assertArrayEquals(floatArrayOf(1f), scales)
    assertArrayEquals(byteArrayOf(0x1F, 0x89.toByte()), packed)
  }

  @Test
  fun `each group has a scale of its own`() {
    val (_, scales) = quantize(2, 7f, 1f, 14f, 1f)
    assertArrayEquals(floatArrayOf(1f, 2f), scales)
  }

  @Test
  fun `ties go to the even integer`() {
    val (packed, _) = quantize(2, 7f, 2.5f)
    assertEquals(0xAF.toByte(), packed[0])
  }

  @Test
  fun `a group of zeros stays zero`() {
    val (packed, scales) = quantize(2, 0f, -0f)
    assertArrayEquals(floatArrayOf(1f), scales)
    assertEquals(0x88.toByte(), packed[0])
  }

  @Test
  fun `no value is off by more than half a step`() {
    val random = Random(4)
    val values = FloatArray(4096) { (random.nextFloat() - 0.5f) * 1000 }
    val (packed, scales) = quantize(32, *values)
    for (i in values.indices) {
      val byte = packed[i / 2].toInt()
      val stored = if (i % 2 == 0) byte and 0xF else byte shr 4 and 0xF
      val scale = scales[i / 32]
      assertTrue(abs(values[i] - (stored - 8) * scale) <= scale * 0.5001f)
    }
  }

  @Test
  fun `a value that is not finite is refused`() {
    assertThrows(ArithmeticException::class.java) { quantize(2, 1f, Float.POSITIVE_INFINITY) }
  }
}
