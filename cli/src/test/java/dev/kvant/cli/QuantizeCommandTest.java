package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {

  @TempDir private Path folder;
  private Models models;

  @BeforeEach
  void write() {
    models = new Models(folder);
    models.model(Models.SMALL);
  }

  @Test
  void writes_the_artifact_and_says_what_was_done() throws IOException {
    Session session = quantize();

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
    assertThat(Files.readString(models.artifact())).contains("fc2 Linear weight:int8:4x16");
    assertThat(session.out())
        .contains(
            """
            module         class      weights         rule                 before    after     SQNR
            ───────────────────────────────────────────────────────────────────────────────────────
            encoder.embed  Embedding  float32                             3.20 kB  3.20 kB
            encoder.fc1    Linear     float32 → int8  layers[0] 'Linear'    576 B    144 B  51.0 dB
            fc2            Linear     float16 → int8  layers[0] 'Linear'    136 B     34 B  43.0 dB

            2 of 3 modules with weights quantized: 3.91 kB before, 3.38 kB after
            """)
        .containsPattern("quantized\\.text +\\d+ B +\\d+\\.\\d % +the same, shorter")
        .contains(
            """
            requires  value       why
            ─────────────────────────────────
            a reader  7 or newer  short lines
            """);
  }

  @Test
  void counts_the_files_beside_the_model_as_its_size() throws IOException {
    Files.write(folder.resolve("model.text.data"), new byte[9_000]);

    Session session = quantize();

    long before = Files.size(folder.resolve("model.text")) + 9_000;
    long after = Files.size(models.artifact());
    assertThat(session.out())
        .containsPattern("model\\.text +9\\.\\d+ kB +the original model, 2 files")
        .contains(String.format(Locale.ROOT, "%.1f %%", 100.0 * after / before));
  }

  @Test
  void tells_programs_the_same() {
    JsonObject json = quantize("--format", "json").json();

    JsonObject module = json.getAsJsonArray("modules").get(1).getAsJsonObject();
    assertThat(module.get("bytes_before").getAsLong()).isEqualTo(576);
    assertThat(module.get("bytes_after").getAsLong()).isEqualTo(144);
    assertThat(module.get("sqnr_db").getAsDouble()).isEqualTo(51);
    assertThat(module.get("lossless").getAsBoolean()).isFalse();
    JsonObject artifact = json.getAsJsonArray("artifacts").get(0).getAsJsonObject();
    assertThat(artifact.get("path").getAsString()).isEqualTo(models.artifact().toString());
    assertThat(artifact.get("bytes").getAsLong()).isPositive();
    assertThat(json.getAsJsonArray("requirements").toString())
        .isEqualTo("[{\"of\":\"a reader\",\"value\":\"7 or newer\",\"reason\":\"short lines\"}]");
    assertThat(json.get("evaluation").isJsonNull()).isTrue();
  }

  @Test
  void writes_the_report_that_it_prints_for_programs() throws IOException {
    Path place = folder.resolve("reports");

    Session session = quantize("--format", "json", "--report", place.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(Files.readString(place.resolve("report.json")))
        .isEqualToIgnoringNewLines(session.out());
    assertThat(session.json().get("report_version").getAsInt()).isEqualTo(1);
  }

  @Test
  void says_where_the_report_is() {
    Path file = folder.resolve("mine.json");

    Session session = quantize("--report", file.toString());

    assertThat(session.out()).contains("The report is in %s.".formatted(file));
    assertThat(file).exists();
  }

  @Test
  void a_file_that_is_no_report_is_found_before_any_work() throws IOException {
    Path file = Files.writeString(folder.resolve("mine.json"), "[]");

    Session session = quantize("--report", file.toString());

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).contains("mine.json exists and is not a report of Kvant");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void the_report_has_the_evaluation_or_says_that_it_failed_by_having_none() throws IOException {
    Path data =
        new NpzWriter()
            .floats("input", new float[] {2, 0, 0.3f, 0.4f}, 2, 2)
            .write(folder.resolve("data.npz"));
    Path file = folder.resolve("mine.json");
    String evaluation = "quantize.evaluation={path: %s, batch_size: 2}".formatted(data);

    quantize(evaluation, "--report", file.toString());
    assertThat(Files.readString(file)).contains("\"latencies_ms\"");

    Session failed =
        quantize(
            evaluation, "--report", file.toString(), "quantize.backend_kwargs.accident=broken");
    assertThat(failed.exitCode()).isEqualTo(1);
    assertThat(Files.readString(file)).contains("\"evaluation\": null");
  }

  @Test
  void flags_take_precedence_over_overrides_and_those_over_the_spec() {
    Path other = folder.resolve("other");

    Session session = quantize("quantize.results_dir=elsewhere", "--out", other.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(other.resolve(TextBackend.ARTIFACT)).exists();
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void compares_before_and_after_where_the_spec_has_data() {
    // Rounding turns the second answer, 0.4 to 0.3, into a tie that the first class wins.
    Path data =
        new NpzWriter()
            .floats("input", new float[] {2, 0, 0.3f, 0.4f}, 2, 2)
            .longs("label", new long[] {0, 1}, 2)
            .write(folder.resolve("data.npz"));

    Session session = quantize("quantize.evaluation={path: %s, batch_size: 2}".formatted(data));

    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .contains("2 samples of %s, 2 at once on cpu\n".formatted(data))
        .containsPattern("model\\.text +\\d+ B +1\\.0000 +2/2 +\\d+\\.\\d\\d ms")
        .containsPattern(
            "quantized\\.text +\\d+ B +0\\.5000 +1/2 +0\\.500000 +0\\.000000 +12\\.3 dB");
  }

  @Test
  void a_gate_of_the_evaluation_that_is_not_passed_has_its_own_exit_code() {
    Path data =
        new NpzWriter()
            .floats("input", new float[] {2, 0, 0.3f, 0.4f}, 2, 2)
            .longs("label", new long[] {0, 1}, 2)
            .write(folder.resolve("data.npz"));
    String evaluation = "quantize.evaluation={path: %s, batch_size: 2, gates: {min_top1: %s}}";

    assertThat(quantize(evaluation.formatted(data, "0.5")).exitCode()).isZero();
    Session failed = quantize(evaluation.formatted(data, "0.6"));

    assertThat(failed.exitCode()).isEqualTo(3);
    assertThat(failed.err()).contains("gate not passed: top-1 is 0.500000, less than 0.6");
  }

  @Test
  void the_report_is_printed_even_if_the_evaluation_fails() {
    Path data =
        new NpzWriter().floats("input", new float[] {1, 2}, 1, 2).write(folder.resolve("data.npz"));

    Session session =
        quantize("quantize.evaluation.path=" + data, "quantize.backend_kwargs.accident=broken");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).startsWith("error: ");
    assertThat(session.out())
        .contains("2 of 3 modules with weights quantized")
        .contains(TextBackend.ARTIFACT);
  }

  @Test
  void statistics_and_data_exclude_each_other() {
    Session session = quantize("--statistics", "a", "--calibration", "b");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("--statistics are used instead of --calibration");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void programs_get_the_role_of_each_file() {
    JsonArray artifacts = quantize("--format", "json").json().getAsJsonArray("artifacts");

    assertThat(artifacts)
        .extracting(artifact -> artifact.getAsJsonObject().get("role").getAsString())
        .containsExactly("model", "side_file");
  }

  @Test
  void programs_get_the_comparison_too() {
    Path data =
        new NpzWriter().floats("input", new float[] {1, 2}, 1, 2).write(folder.resolve("data.npz"));

    JsonArray compared =
        quantize("quantize.evaluation.path=" + data, "--format=json")
            .json()
            .getAsJsonObject("evaluation")
            .getAsJsonArray("models");

    assertThat(compared).hasSize(2);
    assertThat(compared.get(0).getAsJsonObject().get("cosine_mean").isJsonNull()).isTrue();
    JsonObject after = compared.get(1).getAsJsonObject();
    assertThat(after.get("cosine_mean").getAsDouble()).isEqualTo(1);
    assertThat(after.get("identical").getAsBoolean()).isTrue();
    assertThat(after.get("sqnr_db").isJsonNull()).isTrue();
    assertThat(after.get("top1").isJsonNull()).isTrue();
  }

  @Test
  void runs_what_it_wrote_beside_its_source() {
    Session session = quantize("quantize.evaluation.path=" + samples());

    assertThat(session.out())
        .containsPattern(
            "quantized\\.text +verified +2 samples; the min SQNR of an output is 12\\.3 dB");
  }

  @Test
  void runs_what_it_wrote_on_made_up_values_where_there_is_no_data() {
    assertThat(quantize().out())
        .containsPattern(
            "quantized\\.text +verified +2 samples of made-up values; the min SQNR of an output");
  }

  @Test
  void says_why_an_artifact_was_not_run() {
    assertThat(quantize("--no-verify").out())
        .containsPattern("quantized\\.text +not verified +verification is off");
  }

  @Test
  void does_not_run_an_artifact_of_a_spec_that_is_the_section_alone() throws IOException {
    Path bare =
        Files.writeString(
            folder.resolve("bare.yaml"),
            "backend: text\nlayers: [{ module_name: Linear, weights: { dtype: int8 } }]\n");

    Session session =
        Session.run(
            "quantize",
            "-c",
            bare.toString(),
            "--model",
            folder.resolve("model.text").toString(),
            "--out",
            folder.resolve("bare").toString(),
            "--no-verify");

    assertThat(session.err()).isEmpty();
    assertThat(session.out()).contains("verification is off");
  }

  @Test
  void keeps_a_wrong_artifact_aside_and_names_the_first_module_that_goes_wrong() {
    models.model(
        Models.SMALL + "fragile Linear weight:float32:4x16\nfc3 Linear weight:float32:4x4\n");

    Session session = quantize("quantize.evaluation.path=" + samples(), "--format=json");

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.err())
        .contains("output 'output' has 4 values that are not finite, where the source's are")
        .contains("first module that goes wrong is 'fragile'");
    assertThat(models.artifact()).doesNotExist();
    Path aside = models.results().resolve(TextBackend.ARTIFACT + ".rejected");
    assertThat(aside).exists();
    JsonObject json = session.json();
    assertThat(json.getAsJsonArray("artifacts").get(0).getAsJsonObject().get("path").getAsString())
        .isEqualTo(aside.toString());
    assertThat(
            json.getAsJsonArray("verification")
                .get(0)
                .getAsJsonObject()
                .get("status")
                .getAsString())
        .isEqualTo("rejected");
  }

  @Test
  void an_artifact_below_the_minimum_is_rejected() {
    Session session =
        quantize("quantize.evaluation.path=" + samples(), "quantize.verify.min_sqnr=20");

    assertThat(session.exitCode()).isEqualTo(4);
    assertThat(session.err()).contains("has an SQNR of 12.3 dB, below the minimum of 20.0 dB");
    assertThat(
            quantize("quantize.evaluation.path=" + samples(), "quantize.verify.min_sqnr=12")
                .exitCode())
        .isZero();
  }

  private Path samples() {
    return new NpzWriter()
        .floats("input", new float[] {2, 0, 0.3f, 0.4f}, 2, 2)
        .write(folder.resolve("samples.npz"));
  }

  @Test
  void data_that_does_not_fit_is_found_before_anything_is_written() {
    Path data =
        new NpzWriter().floats("image", new float[2], 1, 2).write(folder.resolve("data.npz"));

    Session session = quantize("quantize.evaluation.path=" + data);

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).isEqualTo("error: there is no array 'input'\n");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void a_model_that_nothing_can_run_is_quantized_without_the_comparison() {
    Path data =
        new NpzWriter().floats("input", new float[2], 1, 2).write(folder.resolve("data.npz"));

    Session session = quantize("quantize.evaluation.path=" + data, "quantize.device=cuda");

    assertThat(session.exitCode()).isZero();
    assertThat(session.err())
        .isEqualTo("warning: the evaluation is left out: there is no device cuda\n");
    assertThat(models.artifact()).exists();
  }

  @Test
  void calibration_data_that_is_not_needed_is_warned_of() {
    Path data =
        new NpzWriter().floats("input", new float[2], 1, 2).write(folder.resolve("data.npz"));

    Session session = quantize("--calibration", data.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).startsWith("warning: calibration data is not used");
  }

  @Test
  void a_failure_is_told_in_one_sentence_and_leaves_nothing_behind() {
    Session session = quantize("quantize.backend_kwargs.accident=failure");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.out()).isEmpty();
    assertThat(session.err()).isEqualTo("error: the ink has run out; buy some\n");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void a_failure_is_told_with_its_stack_on_request() {
    Session session = quantize("quantize.backend_kwargs.accident=failure", "--verbose");

    assertThat(session.err())
        .startsWith("error: the ink has run out; buy some\n")
        .contains("\tat dev.kvant.cli.TextBackend");
  }

  @Test
  void a_failure_without_a_message_of_its_own_is_told_as_a_bug() {
    Session session = quantize("quantize.backend_kwargs.accident=defect");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            """
            error: IllegalStateException: this cannot happen
            This is a bug in Kvant; --verbose shows the stack trace.
            """);
  }

  @Test
  void an_error_is_told_like_an_exception_to_programs_too() {
    Session session = quantize("quantize.backend_kwargs.accident=error", "--format", "json");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.json().getAsJsonObject("error").get("message").getAsString())
        .startsWith("the heap is full (Java heap space); give it more with KVANT_JAVA_OPTS=-Xmx");
    assertThat(session.err()).startsWith("error: the heap is full");
  }

  @Test
  void a_thread_that_is_interrupted_leaves_nothing_behind() throws Exception {
    var worker = new CompletableFuture<Session>();
    var thread =
        new Thread(() -> worker.complete(quantize("quantize.backend_kwargs.accident=wait")));
    thread.start();
    while (!Files.exists(models.results())) {
      Thread.onSpinWait();
    }

    thread.interrupt();

    Session session = worker.get(10, TimeUnit.SECONDS);
    assertThat(session.exitCode()).isEqualTo(130);
    assertThat(session.err()).isEqualTo("interrupted: nothing was left half-written\n");
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void an_unknown_backend_is_answered_with_the_known_ones() {
    Session session = quantize("quantize.backend=torch");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("quantize.backend: no backend 'torch'", "installed: text");
  }

  @Test
  void a_file_that_is_no_model_fails() throws IOException {
    Path file = Files.writeString(folder.resolve("other.text"), "prose");

    Session session = quantize("--model", file.toString());

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).contains("is not a model of any installed format; installed: text");
  }

  @Test
  void a_spec_without_a_folder_for_results_is_wrong_input() {
    Path spec =
        models.spec(
            "quantize: { backend: text, model_path: %s }".formatted(folder.resolve("model.text")));

    Session session = Session.run("quantize", "-c", spec.toString());

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .isEqualTo("error: quantize.results_dir: is required; set it or give --out DIR\n");
  }

  @Test
  void missing_paths_are_told_together_with_all_other_problems() {
    Path spec = models.spec("quantize: { backend: text, strict: perhaps }");

    Session session = Session.run("quantize", "-c", spec.toString());

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .contains(
            "quantize.model_path: is required; set it or give --model FILE",
            "quantize.results_dir: is required; set it or give --out DIR",
            "quantize.strict: must be true or false, but is 'perhaps'");
  }

  private Session quantize(String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "quantize";
    all[1] = "-c";
    all[2] = models.spec().toString();
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return Session.run(all);
  }
}
