package dev.kvant.examples.q8

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class Q8BlocksTest {

  private fun encode(vararg values: Float): ByteBuffer {
    val whole = values.copyOf(32)
    val blocks = ByteBuffer.allocate(34).order(ByteOrder.LITTLE_ENDIAN)
    Q8Blocks().encode(whole, blocks)
    return blocks.flip()
  }

  @Test
  fun `a block is a float16 scale with 32 signed bytes behind it`() {
    val blocks = encode(127f, -127f, 1f)
    assertEquals(0x3C00, blocks.short.toInt())
    assertArrayEquals(byteArrayOf(127, -127, 1), ByteArray(3) { blocks.get() })
  }

  @Test
  fun `halves are rounded away from zero`() {
    val blocks = encode(127f, 2.5f, -2.5f, 0.5f)
    assertArrayEquals(byteArrayOf(127, 3, -3, 1), ByteArray(4) { blocks.get(2 + it) })
  }

  @Test
  fun `a block of zeros stays zero`() {
    assertArrayEquals(ByteArray(34), encode().array())
  }

  @Test
  fun `no value is off by more than half a step and the error of the scale`() {
    val random = Random(8)
    val values = FloatArray(4096) { random.nextFloat() - 0.5f }
    val blocks = ByteBuffer.allocate(4096 / 32 * 34).order(ByteOrder.LITTLE_ENDIAN)
    Q8Blocks().encode(values, blocks)
    val restored = FloatArray(values.size)
    Q8Blocks().decode(blocks.flip(), restored)
    values.indices.forEach {
      assertTrue(abs(values[it] - restored[it]) <= 0.5f / 127 * 0.51f + abs(values[it]) / 2048)
    }
  }

  @Test
  fun `a scale beyond float16 is refused`() {
    assertThrows(ArithmeticException::class.java) { encode(1e10f) }
  }
}
