package dev.kvant.validation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.firstuse.FirstUse;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The first use of the validator in a process")
class FirstUseTest {

  private static final List<String> CLASS_PATH =
      List.of(System.getProperty("java.class.path").split(File.pathSeparator, -1));

  /** What the module needs, without the libraries of tests. */
  private static final Pattern LIBRARIES =
      Pattern.compile("[/\\\\](classes$|kvant-|hibernate-|classmate-|jboss-|jakarta\\.|jspecify-)");

  /** What a process printed on both streams and how it ended. */
  private record Outcome(int exitCode, String output) {}

  private static Outcome run(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(Arrays.asList(options));
    command.add(FirstUse.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), output);
  }

  private static String joined(List<String> path) {
    return String.join(File.pathSeparator, path);
  }

  @Test
  void prints_nothing() throws Exception {
    assertThat(run("-cp", joined(CLASS_PATH))).isEqualTo(new Outcome(0, ""));
  }

  @Test
  void leaves_the_greeting_to_an_application_that_says_where_it_goes() throws Exception {
    assertThat(run("-Dorg.jboss.logging.provider=jdk", "-cp", joined(CLASS_PATH)).output())
        .contains("HV000001");
  }

  @Test
  void needs_no_module_to_be_named_but_its_own() throws Exception {
    String tests =
        CLASS_PATH.stream()
            .filter(element -> element.contains("test-classes"))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> modules =
        CLASS_PATH.stream().filter(element -> LIBRARIES.matcher(element).find()).toList();

    assertThat(
            run(
                "--module-path",
                joined(modules),
                "--add-modules",
                "dev.kvant.validation",
                "-cp",
                tests))
        .isEqualTo(new Outcome(0, ""));
  }
}
