package dev.kvant.kotlin

import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.nio.file.Path
import org.jetbrains.kotlin.cli.common.ExitCode
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler

/** What the compiler says of sources that see the class path of this test. */
internal class Compilation
private constructor(
  /** How it ended. */
  val result: ExitCode,
  /** All that it said. */
  val output: String,
) {

  companion object {

    /** Compiles the files into a folder beside them. */
    fun of(files: List<Path>): Compilation {
      val output = ByteArrayOutputStream()
      val result =
        K2JVMCompiler()
          .exec(
            PrintStream(output, true, Charsets.UTF_8),
            "-classpath",
            System.getProperty("java.class.path"),
            "-no-stdlib",
            "-no-reflect",
            "-jvm-target",
            "17",
            "-nowarn",
            "-d",
            files.first().resolveSibling("classes").toString(),
            *files.map(Path::toString).toTypedArray(),
          )
      return Compilation(result, output.toString(Charsets.UTF_8))
    }
  }
}
