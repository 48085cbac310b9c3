package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("An artifact")
class ArtifactTest {

  @TempDir private Path folder;

  @Test
  void of_a_file_that_is_there_has_its_size() throws Exception {
    Path file = Files.write(folder.resolve("model.pt"), new byte[7]);

    assertThat(Artifact.of(file, "torchscript", "A model."))
        .isEqualTo(new Artifact(file, Artifact.Role.MODEL, "torchscript", 7, "A model."));
  }

  @Test
  void of_a_file_that_is_not_there_is_an_error_that_names_it() {
    Path file = folder.resolve("nowhere.pt");

    assertThatThrownBy(() -> Artifact.of(file, "torchscript", "A model."))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("nowhere.pt");
  }
}
