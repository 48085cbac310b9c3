package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyCommandTest {

  private static final String MANIFEST = "kvant-manifest.json";

  @TempDir private Path folder;
  private Models models;
  private Path model;

  @BeforeEach
  void quantize() {
    models = new Models(folder);
    model = models.model(Models.SMALL);
    assertThat(Session.run("quantize", "-c", models.spec().toString()).exitCode()).isZero();
  }

  private Session verify(String... more) {
    List<String> arguments = new ArrayList<>(List.of("verify", models.results().toString()));
    arguments.addAll(List.of(more));
    return Session.run(arguments.toArray(String[]::new));
  }

  private Path manifest() {
    return models.results().resolve(MANIFEST);
  }

  @Test
  void says_that_nothing_has_changed() {
    Session session = verify();

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .containsPattern(TextBackend.ARTIFACT + " +unchanged")
        .contains("by backend text, mode weight_only_ptq; Kvant ")
        .containsPattern("../model.text +unchanged");
  }

  @Test
  void names_a_file_with_a_changed_byte() throws IOException {
    byte[] bytes = Files.readAllBytes(models.artifact());
    bytes[bytes.length / 2] ^= 1;
    Files.write(models.artifact(), bytes);

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.out()).containsPattern(TextBackend.ARTIFACT + " +changed");
    assertThat(session.err()).contains(models.artifact() + ": its SHA-256 is another one");
  }

  @Test
  void names_a_file_that_was_cut_short() throws IOException {
    byte[] bytes = Files.readAllBytes(models.artifact());
    Files.write(models.artifact(), List.of());

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.err())
        .contains("%s: it has 0 bytes, not %d".formatted(models.artifact(), bytes.length));
  }

  @Test
  void names_a_file_that_is_missing() throws IOException {
    Files.delete(models.artifact());

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.out()).containsPattern(TextBackend.ARTIFACT + " +missing");
    assertThat(session.err()).contains(models.artifact() + ": it is not there");
  }

  @Test
  void names_a_file_that_was_added() throws IOException {
    Path added = Files.createDirectory(models.results().resolve("more")).resolve("modeling.py");
    Files.writeString(added, "import os");

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.out()).containsPattern("more/modeling.py +not recorded");
    assertThat(session.err()).contains(added + ": the manifest does not name it");
    assertThat(verify("--allow-others").exitCode()).isZero();
  }

  @Test
  void takes_reports_and_specs_for_no_additions() {
    String results = models.results().toString();
    Session quantized =
        Session.run("quantize", model.toString(), "--out", results, "--report", results);
    assertThat(quantized.err()).isEmpty();

    Session session = verify();

    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .containsPattern("report.html +beside")
        .containsPattern("report.json +beside")
        .containsPattern("spec.yaml +beside");
  }

  @Test
  void fails_without_a_manifest() throws IOException {
    Files.delete(manifest());

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).contains("has no kvant-manifest.json").doesNotContain("bug");
  }

  @Test
  void fails_at_a_manifest_that_is_damaged_anywhere() throws IOException {
    String text = Files.readString(manifest());
    for (int length = 0; length < text.length() - 2; length += 7) {
      Files.writeString(manifest(), text.substring(0, length));

      Session session = verify();

      assertThat(session.exitCode()).as("after %d characters", length).isEqualTo(1);
      assertThat(session.err()).contains("is not a valid manifest of Kvant").doesNotContain("bug");
    }
  }

  @Test
  void fails_at_a_manifest_that_leads_out_of_the_folder() throws IOException {
    for (String path : List.of("../model.text", "/etc/hostname", "a/../../model.text", "")) {
      Files.writeString(
          manifest(),
          Files.readString(manifest())
              .replaceFirst(
                  "(?s)(\"files\": \\[\\s*\\{\\s*\"path\": \")[^\"]*(\".*\"format\")",
                  "$1" + path + "$2"));

      Session session = verify();

      assertThat(session.exitCode()).as(path).isEqualTo(1);
      assertThat(session.err()).contains("the path '%s' leads out of the folder".formatted(path));
    }
  }

  @Test
  void names_a_source_that_is_another_one_now() throws IOException {
    Files.writeString(model, Files.readString(model).replace("16x8", "16x9"));

    Session session = verify();

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.err()).contains("model.text: its SHA-256 is another one");
  }

  @Test
  void compares_the_source_that_is_named() throws IOException {
    Path moved = Files.move(model, folder.resolve("moved.text"));

    assertThat(verify().exitCode()).isZero();
    assertThat(verify().out()).containsPattern("model.text +not checked");
    assertThat(verify("--model", moved.toString()).out()).containsPattern("moved.text +unchanged");
    Session other = verify("--model", folder.resolve("nowhere.text").toString());
    assertThat(other.exitCode()).isEqualTo(4);
    assertThat(other.err()).contains("nowhere.text: it is not there");
  }

  @Test
  void tells_programs_everything() {
    JsonObject document = verify("--format", "json").json();

    assertThat(document.get("whole").getAsBoolean()).isTrue();
    JsonObject run = document.getAsJsonArray("runs").get(0).getAsJsonObject();
    assertThat(run.get("spec").getAsString())
        .contains("backend: text")
        .doesNotContain("results_dir");
    JsonObject file = run.getAsJsonArray("files").get(0).getAsJsonObject();
    assertThat(file.get("path").getAsString()).isEqualTo(TextBackend.ARTIFACT);
    assertThat(file.get("sha256").getAsString()).matches("[0-9a-f]{64}");
  }

  @Test
  void equal_runs_have_equal_manifests() throws IOException {
    String first = Files.readString(manifest());

    Session.run("quantize", "-c", models.spec().toString());

    assertThat(manifest()).hasContent(first.stripTrailing());
  }

  @Test
  void quantize_does_not_replace_another_file_of_that_name() throws IOException {
    Files.writeString(manifest(), "{\"mine\": true}");

    Session session = Session.run("quantize", "-c", models.spec().toString());

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .contains("is not a valid manifest of Kvant", "move it away, or save into another folder");
    assertThat(manifest()).hasContent("{\"mine\": true}");
  }

  @Test
  void wants_a_folder() {
    Session file = Session.run("verify", model.toString());
    assertThat(file.exitCode()).isEqualTo(1);
    assertThat(file.err()).contains("is a file; give the folder of the artifacts");
    assertThat(Session.run("verify", folder.resolve("no").toString()).err())
        .contains("does not exist");
  }
}
