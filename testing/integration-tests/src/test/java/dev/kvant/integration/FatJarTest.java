package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A fat jar")
class FatJarTest {

  private static final String SPEC = "backend: %s\nlayers: []\n";

  @TempDir private Path folder;

  /** What a process printed and how it ended. */
  private record Outcome(int exitCode, String output) {}

  private Path fatJar(ClassPathElement.Clash clash) {
    Path jar = folder.resolve("fat.jar");
    ClassPathElement.pour(
        ClassPathElement.all().stream()
            // Of no use here and large.
            .filter(element -> !element.isNamed("pytorch-native", "pytorch-jni", "onnxruntime"))
            .filter(element -> !element.isNamed("test-classes", "junit", "archunit", "assertj"))
            .toList(),
        jar,
        clash);
    return jar;
  }

  private Outcome kvant(Path jar, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                jar.toString(),
                "dev.kvant.cli.Main"));
    command.addAll(List.of(arguments));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int exitCode = process.waitFor();
    return new Outcome(exitCode, Files.readString(output, StandardCharsets.UTF_8));
  }

  @Test
  void whose_services_files_are_merged_offers_every_backend() throws Exception {
    Outcome outcome = kvant(fatJar(ClassPathElement.Clash.MERGE_SERVICES), "backends");

    assertThat(outcome.output())
        .containsPattern("(?m)^torchao \\d+\\.\\d+")
        .containsPattern("(?m)^modelopt \\d+\\.\\d+")
        .containsPattern("(?m)^onnx \\d+\\.\\d+");
    assertThat(outcome.exitCode()).isZero();
  }

  @Test
  void that_kept_one_services_file_of_several_says_what_it_misses_and_how_to_get_it()
      throws Exception {
    Path jar = fatJar(ClassPathElement.Clash.LAST);
    String offered = kvant(jar, "backends").output();
    String lost = offered.contains("torchao") ? "onnx" : "torchao";
    Path spec = Files.writeString(folder.resolve("spec.yaml"), SPEC.formatted(lost));

    Outcome outcome = kvant(jar, "quantize", "-c", spec.toString(), "--model", spec.toString());

    assertThat(offered).doesNotContain(lost);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.output().replaceAll("\\s+", " "))
        .contains("no backend '" + lost + "' is installed")
        .contains("in a fat jar, merge the files of META-INF/services");
  }
}
