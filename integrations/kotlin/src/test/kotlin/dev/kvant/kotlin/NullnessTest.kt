package dev.kvant.kotlin

import java.nio.file.Files
import java.nio.file.Path
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Compiles a file whose wrong lines are marked, and looks where the compiler finds errors. */
class NullnessTest {

  @TempDir lateinit var folder: Path

  @Test
  fun `the compiler refuses every misuse, and nothing else`() {
    val source = checkNotNull(javaClass.getResource("/Misuse.kt")).readText()
    assertThat(linesWithErrors(source)).isEqualTo(markedLines(source)).hasSizeGreaterThan(10)
  }

  private fun markedLines(source: String): Set<Int> =
    source.lines().mapIndexedNotNull { i, line -> (i + 1).takeIf { MARK in line } }.toSet()

  private fun linesWithErrors(source: String): Set<Int> {
    val file = Files.writeString(folder.resolve("Misuse.kt"), source)
    return ERROR.findAll(Compilation.of(listOf(file)).output)
      .map { it.groupValues[1].toInt() }
      .toSet()
  }

  private companion object {
    const val MARK = "// wrong"
    val ERROR = Regex("""Misuse\.kt:(\d+):\d+: error:""")
  }
}
