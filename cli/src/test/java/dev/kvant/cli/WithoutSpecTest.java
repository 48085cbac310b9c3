package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Without a spec")
class WithoutSpecTest {

  @TempDir private Path folder;
  private Models models;
  private String model;

  @BeforeEach
  void write() {
    models = new Models(folder);
    model = models.model(Models.SMALL).toString();
  }

  private Session quantize(String... more) {
    return run("quantize", "--out", models.results().toString(), more);
  }

  private Session run(String command, String option, String value, String... more) {
    String[] arguments = new String[more.length + 4];
    arguments[0] = command;
    arguments[1] = model;
    arguments[2] = option;
    arguments[3] = value;
    System.arraycopy(more, 0, arguments, 4, more.length);
    return Session.run(arguments);
  }

  private Path spec() {
    return models.results().resolve("spec.yaml");
  }

  @Test
  void a_model_is_quantized_and_the_spec_printed_and_written() throws IOException {
    Session session = quantize();

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
    assertThat(Models.commentsBehindPaths(Files.readString(spec())))
        .isEqualTo(
            """
            # Written by 'kvant quantize'; copy it to change it, the next run without -c replaces it.
            # Backend 'text' recommends no recipe of its own: this is its first mode that fits.
            quantize:
              backend: text  # the installed backend that quantizes; see kvant backends
              mode: weight_only_ptq  # weights only; activations keep their type
              model_path: %s  # the trained model
              results_dir: %s  # the folder for the artifacts
              default_layer_dtype: int8  # weights of all modules that can have it
            """
                .formatted(model, models.results()));
    assertThat(session.out()).startsWith(Files.readString(spec()) + "\nThis spec is in " + spec());
    assertThat(session.out()).contains("2 of 3 modules with weights quantized");
    assertThat(models.artifact()).exists();
  }

  @Test
  void the_written_spec_gives_the_same_artifact() throws IOException {
    quantize();
    byte[] first = Files.readAllBytes(models.artifact());
    Files.delete(models.artifact());

    Session session = Session.run("quantize", "-c", spec().toString());

    assertThat(session.exitCode()).isZero();
    assertThat(models.artifact()).hasBinaryContent(first);
  }

  @Test
  void a_second_run_replaces_the_written_spec() throws IOException {
    quantize();

    assertThat(quantize("--dtype", "fp8_e5m2").exitCode()).isZero();
    assertThat(Files.readString(spec())).contains("default_layer_dtype: fp8_e5m2");
  }

  @Test
  void a_spec_of_somebody_else_stays() throws IOException {
    Files.createDirectories(models.results());
    Files.writeString(spec(), "mine: true\n");

    Session session = quantize();

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            "error: %s exists and was not written by Kvant; move it, or give another folder with --out\n"
                .formatted(spec()));
    assertThat(spec()).hasContent("mine: true\n");
    assertThat(models.artifact()).doesNotExist();
  }

  @Test
  void json_holds_the_spec() throws IOException {
    JsonObject spec = quantize("--format", "json").json().getAsJsonObject("spec");

    assertThat(spec.get("path").getAsString()).isEqualTo(spec().toString());
    assertThat(spec.get("text").getAsString()).isEqualTo(Files.readString(spec()));
  }

  @Test
  void json_of_a_run_with_a_spec_says_that_none_was_made() {
    JsonObject json =
        Session.run("quantize", "-c", models.spec().toString(), "--format", "json").json();

    assertThat(json.get("spec").isJsonNull()).isTrue();
  }

  @Test
  void keys_of_the_spec_override_and_are_marked() {
    Session session = quantize("quantize.skip_names=[fc2]");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .contains("  skip_names: [fc2]  # as given on the command line\n")
        .contains("1 of 3 modules with weights quantized");
  }

  @Test
  void plan_shows_the_spec_and_writes_nothing() {
    Session session = run("plan", "--backend", "plain");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out()).startsWith("# Backend 'text'").contains("float32 → int8");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void a_model_of_which_nothing_can_be_quantized_is_an_error() {
    model = models.model("embed Embedding weight:float32:100x8\n").toString();

    Session session = quantize();

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            "error: backend 'text' can quantize nothing of %s in weight_only_ptq: Embedding: only Linear is text enough\n"
                .formatted(model));
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void a_folder_with_several_models_is_an_error_that_names_them() {
    models.model("another.text", Models.SMALL);
    models.spec("quantize: {}");
    model = folder.toString();

    Session session = quantize();

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            "error: the folder %s is not a model; name one of the models in it: another.text, model.text\n"
                .formatted(folder));
  }

  @Test
  void a_file_of_no_installed_format_is_an_error_that_lists_the_formats() throws IOException {
    model = Files.writeString(folder.resolve("notes.txt"), "no model").toString();

    Session session = quantize();

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            "error: %s is not a model of any installed format; installed: text\n".formatted(model));
  }

  @Test
  void data_that_no_backend_uses_is_wrong_input() {
    Session session = quantize("--data", "samples.npz");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .isEqualTo(
            "error: calibration: no backend uses data for a model of format 'text'; leave it out\n");
  }

  @Test
  void an_unknown_dtype_lists_those_of_the_backends() {
    Session session = quantize("--dtype", "int4");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .isEqualTo("error: dtype: no backend has 'int4' for this model; text has int8, fp8_e5m2\n");
  }

  @Test
  void an_unknown_mode_lists_those_of_the_backends() {
    assertThat(quantize("--mode", "static_ptq").err())
        .isEqualTo(
            "error: mode: no backend has 'static_ptq' for this model; text has weight_only_ptq\n");
  }

  @Test
  void an_unknown_target_says_that_there_is_none() {
    assertThat(quantize("--target", "moon").err())
        .isEqualTo("error: target: no backend has 'moon' for this model; text has no target\n");
  }

  @Test
  void an_unknown_backend_is_wrong_input() {
    Session session = quantize("--backend", "txt");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("no backend 'txt' is installed; did you mean 'text'?");
  }

  @Test
  void neither_a_model_nor_a_spec_is_wrong_usage() {
    Session session = Session.run("quantize");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).startsWith("error: give a model, or a spec with -c SPEC\n");
  }

  @Test
  void a_model_given_twice_is_wrong_usage() {
    assertThat(quantize("--model", model).err())
        .startsWith("error: give the model once, as an argument or with --model\n");
  }

  @Test
  void a_dtype_beside_a_spec_is_wrong_usage() {
    Session session =
        Session.run("quantize", "-c", models.spec().toString(), "--dtype", "int8", "--mode", "x");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .startsWith(
            "error: --mode, --dtype: only for a model without a spec; override the spec with key=value\n");
  }

  @Test
  void the_dtype_native_is_wrong_usage() {
    assertThat(quantize("--dtype", "native").err())
        .startsWith("error: --dtype native would quantize nothing; leave it out for the default\n");
  }

  @Test
  void a_setting_without_data_is_wrong_usage() {
    assertThat(quantize("tokenizer=t.json").err())
        .startsWith(
            "error: 'tokenizer=t.json' is a setting of a data reader, and there is no --data; keys of the spec begin with 'quantize.'\n");
  }

  @Test
  void statistics_belong_to_a_spec() {
    assertThat(quantize("--statistics", "a.statistics").err())
        .startsWith("error: --statistics belong to a spec; give it with -c SPEC\n");
    assertThat(Session.run("calibrate", model, "--statistics", "a.statistics").err())
        .startsWith("error: -c SPEC is required: statistics belong to a spec\n");
  }
}
