package dev.kvant.integration;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A main class in a process of its own, because native libraries and their environments exist once
 * in a process.
 *
 * @param exitCode how it ended
 * @param output what it printed
 */
record OwnProcess(int exitCode, String output) {

  private static final long PATIENCE_MINUTES = 5;

  /** What ONNX Runtime's jar is named like. */
  private static final String ONNX_RUNTIME =
      "onnxruntime" + File.separator + "onnxruntime" + File.separator;

  /** Runs it in the root of the sources, with the class path of this process. */
  static OwnProcess run(String main, String... arguments) throws IOException, InterruptedException {
    return run(all(element -> true), main, arguments);
  }

  /** The same with another jar of ONNX Runtime. */
  static OwnProcess runWith(Path onnxRuntime, String main, String... arguments)
      throws IOException, InterruptedException {
    return run(
        onnxRuntime.toAbsolutePath()
            + File.pathSeparator
            + all(element -> !element.isNamed(ONNX_RUNTIME)),
        main,
        arguments);
  }

  private static String all(Predicate<ClassPathElement> wanted) {
    return ClassPathElement.all().stream()
        .filter(wanted)
        .map(element -> element.path().toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static OwnProcess run(String classPath, String main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                main));
    Stream.of(arguments).forEach(command::add);
    Path output = Files.createTempFile("process", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(Checkout.ROOT.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("it does not end: " + Files.readString(output));
      }
      return new OwnProcess(process.exitValue(), Files.readString(output));
    } finally {
      Files.delete(output);
    }
  }
}
