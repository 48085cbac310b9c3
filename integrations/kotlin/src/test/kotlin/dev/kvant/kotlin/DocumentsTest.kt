package dev.kvant.kotlin

import java.nio.file.Files
import java.nio.file.Path
import org.assertj.core.api.Assertions.assertThat
import org.jetbrains.kotlin.cli.common.ExitCode
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** Compiles the Kotlin that documents show. */
class DocumentsTest {

  @TempDir lateinit var folder: Path

  @ParameterizedTest
  @ValueSource(strings = ["README.md", "docs/embedding.md"])
  fun `what a document shows compiles`(document: String) {
    val blocks = KOTLIN.findAll(Files.readString(Path.of("..", "..", document))).toList()
    assertThat(blocks).isNotEmpty()
    val files =
      blocks.mapIndexed { i, block ->
        val source = IMPORTS + "suspend fun example$i() {\n" + block.groupValues[1] + "}\n"
        Files.writeString(folder.resolve("Example$i.kt"), source)
      }

    val compilation = Compilation.of(files)

    assertThat(compilation.result).describedAs(compilation.output).isEqualTo(ExitCode.OK)
  }

  private companion object {
    val KOTLIN = Regex("(?s)```kotlin\n(.*?)```")
    const val IMPORTS =
      "import dev.kvant.api.*\nimport dev.kvant.api.Dtype.*\nimport dev.kvant.kotlin.*\n" +
        "import java.nio.file.Path\n"
  }
}
