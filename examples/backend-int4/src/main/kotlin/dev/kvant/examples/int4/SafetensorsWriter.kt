package dev.kvant.examples.int4

import java.io.FileOutputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Path

/** A tensor to be written: what it is called, and where its bytes come from. */
class Entry(
  val name: String,
  val type: String,
  val shape: List<Long>,
  val bytes: Long,
  val writeTo: (OutputStream) -> Unit,
)

/**
 * Writes safetensors: eight bytes with the length of a JSON header, the header, and the
 * tensors one after the other.
 */
object SafetensorsWriter {

  fun write(file: Path, entries: List<Entry>) {
    val header = header(entries)
    // Not a channel, which an interrupt would close in the middle: progress looks at interrupts.
    FileOutputStream(file.toFile()).buffered().use { out ->
      out.write(
        ByteBuffer.allocate(Long.SIZE_BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(header.size.toLong())
          .array()
      )
      out.write(header)
      entries.forEach { it.writeTo(out) }
    }
  }

  private fun header(entries: List<Entry>): ByteArray {
    var offset = 0L
    val members =
      entries.map { entry ->
        val begin = offset
        offset += entry.bytes
        """"${escaped(entry.name)}":{"dtype":"${entry.type}","shape":${entry.shape},""" +
          """"data_offsets":[$begin,$offset]}"""
      }
    val json = members.joinToString(",", "{", "}").toByteArray()
    // Padded with spaces, so that the tensors are aligned.
    return json + ByteArray((8 - json.size % 8) % 8) { ' '.code.toByte() }
  }

  private fun escaped(name: String) = name.replace("\\", "\\\\").replace("\"", "\\\"")
}
