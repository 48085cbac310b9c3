package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitCommandTest {

  @TempDir private Path folder;
  private Models models;
  private String model;

  @BeforeEach
  void write() {
    models = new Models(folder);
    model = models.model("net.v2.text", Models.SMALL).toString();
  }

  private String expected() {
    return """
        # Backend 'text' recommends no recipe of its own: this is its first mode that fits.
        quantize:
          backend: text  # the installed backend that quantizes; see kvant backends
          mode: weight_only_ptq  # weights only; activations keep their type
          model_path: %s  # the trained model
          results_dir: net.v2-quantized  # the folder for the artifacts
          default_layer_dtype: int8  # weights of all modules that can have it
        """
        .formatted(model);
  }

  @Test
  void prints_a_commented_spec() {
    Session session = Session.run("init", model);

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(Models.commentsBehindPaths(session.out())).isEqualTo(expected());
    assertThat(Session.run("init", model, "--out", "-").out()).isEqualTo(session.out());
  }

  @Test
  void writes_it_into_a_file() throws IOException {
    Path spec = folder.resolve("new").resolve("spec.yaml");

    Session session = Session.run("init", model, "--out", spec.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .isEqualTo("%s is written; use it with: kvant quantize -c %s\n".formatted(spec, spec));
    assertThat(Models.commentsBehindPaths(Files.readString(spec))).isEqualTo(expected());
    assertThat(Session.run("plan", "-c", spec.toString()).exitCode()).isZero();
  }

  @Test
  void replaces_a_file_only_when_forced() throws IOException {
    Path spec = Files.writeString(folder.resolve("spec.yaml"), "mine: true\n");

    Session refused = Session.run("init", model, "--out", spec.toString());

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).startsWith("error: %s exists; --force replaces it\n".formatted(spec));
    assertThat(spec).hasContent("mine: true\n");
    assertThat(Session.run("init", model, "--force", "--out", spec.toString()).exitCode()).isZero();
    assertThat(Models.commentsBehindPaths(Files.readString(spec))).isEqualTo(expected());
  }

  @Test
  void a_folder_in_place_of_the_file_is_an_error() {
    Session session = Session.run("init", model, "--force", "--out", folder.toString());

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).startsWith("error: %s cannot be written: ".formatted(folder));
  }

  @Test
  void prints_json() {
    Session session = Session.run("init", model, "--format", "json");

    assertThat(session.json().get("path").isJsonNull()).isTrue();
    assertThat(Models.commentsBehindPaths(session.json().get("text").getAsString()))
        .isEqualTo(expected());
  }

  @Test
  void a_missing_model_is_wrong_usage() {
    Session session = Session.run("init");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).startsWith("error: give a model\n");
  }
}
