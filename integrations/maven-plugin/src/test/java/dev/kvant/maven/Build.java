package dev.kvant.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A run of Maven, the same one that runs this build.
 *
 * @param succeeded whether it ended with exit code 0
 * @param output everything that it printed
 */
record Build(boolean succeeded, String output) {

  private static final long PATIENCE_MINUTES = 5;

  /** Runs Maven in a folder. */
  static Build run(Path repository, Path project, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(LocalRepository.property("kvant.maven.home"), "bin", "mvn").toString());
    command.addAll(List.of("-B", "-ntp", "-Dstyle.color=never"));
    command.add("-Dmaven.repo.local=" + repository);
    if (LocalRepository.property("kvant.maven.offline").equals("offline true")) {
      command.add("-o");
    }
    Path settings =
        Path.of(LocalRepository.property("kvant.maven.settings").substring("file ".length()));
    if (Files.exists(settings)) {
      command.addAll(List.of("-s", settings.toString()));
    }
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile("build", ".txt");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(project.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile());
      builder.environment().remove("MAVEN_ARGS");
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      Process process = builder.start();
      if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("it does not end: " + Files.readString(output));
      }
      return new Build(process.exitValue() == 0, Files.readString(output));
    } finally {
      Files.delete(output);
    }
  }

  /** The lines that Maven marks as errors. */
  String errors() {
    return output
        .lines()
        .filter(line -> line.startsWith("[ERROR]"))
        .collect(Collectors.joining("\n"));
  }
}
