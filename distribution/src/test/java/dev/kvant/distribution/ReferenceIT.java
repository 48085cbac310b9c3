package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@DisplayName("The reference")
class ReferenceIT {

  private static final Path ROOT = Path.of(System.getProperty("kvant.root")).normalize();

  // Some defaults depend on the processor.
  @Test
  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
  void says_what_the_command_and_the_backends_say() throws IOException, InterruptedException {
    Path folder = ROOT.resolve("docs/reference");
    Map<String, String> pages =
        Reference.pages(Path.of(System.getProperty("kvant.zip")).resolveSibling("kvant"));

    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(pages.keySet());
    }
    for (Map.Entry<String, String> page : pages.entrySet()) {
      assertThat(Files.readString(folder.resolve(page.getKey())))
          .as("docs/reference/%s is out of date: run .ci/reference", page.getKey())
          .isEqualTo(page.getValue());
    }
  }
}
