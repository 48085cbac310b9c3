package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuneCommandTest {

  @TempDir private Path folder;
  private Path model;
  private Path out;

  /** The text model rounds its input once any module is int8. */
  @BeforeEach
  void write() {
    model =
        new Models(folder)
            .model("first Linear weight:float32:2x2\nsecond Linear weight:float32:4x4\n");
    out = folder.resolve("tuned");
  }

  private Path data(int samples) {
    float[] values = new float[2 * samples];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 2 == 0 ? 3 + i : 0.25f;
    }
    return new NpzWriter().floats("input", values, samples, 2).write(folder.resolve("data.npz"));
  }

  private Session tune(int samples, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "tune",
                model.toString(),
                "--data",
                data(samples).toString(),
                "--out",
                out.toString()));
    arguments.addAll(List.of(more));
    return Session.run(arguments.toArray(String[]::new));
  }

  @Test
  void writes_the_artifact_its_spec_and_all_that_was_tried() throws Exception {
    Session session = tune(8, "--min-cosine=0.5", "--format=json");

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
    JsonObject json = session.json();
    assertThat(json.get("best").getAsString()).startsWith("text weight_only_ptq int8");
    assertThat(json.getAsJsonObject("samples").get("calibration").getAsInt()).isEqualTo(4);
    assertThat(json.getAsJsonObject("samples").get("search").getAsInt()).isEqualTo(2);
    assertThat(json.getAsJsonObject("samples").get("held_out").getAsInt()).isEqualTo(2);
    assertThat(out.resolve(TextBackend.ARTIFACT)).exists();
    assertThat(Files.readString(out.resolve("spec.yaml")))
        .contains("backend: text")
        .contains("2 held-out samples");
    JsonObject written =
        JsonParser.parseString(Files.readString(out.resolve("tuning.json"))).getAsJsonObject();
    assertThat(written.get("trials")).isEqualTo(json.get("trials"));
  }

  @Test
  void reports_the_best_artifact_and_all_that_was_tried() throws Exception {
    Path reports = folder.resolve("reports");

    Session session = tune(8, "--min-cosine=0.5", "--format=json", "--report=" + reports);

    assertThat(session.exitCode()).isZero();
    JsonObject report =
        JsonParser.parseString(Files.readString(reports.resolve("report.json"))).getAsJsonObject();
    assertThat(report.get("trials")).isEqualTo(session.json().get("trials"));
    assertThat(
            report.getAsJsonArray("artifacts").get(0).getAsJsonObject().get("path").getAsString())
        .isEqualTo(out.resolve(TextBackend.ARTIFACT).toString());
    assertThat(Files.readString(reports.resolve("report.html")))
        .contains("data-plot=\"trials\"", "<td>best</td>");
  }

  @Test
  void judges_encoders_by_recall() {
    Session session = tune(16, "--min-recall=0.1", "--top-k=2", "--format=json");

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
    JsonObject trial = session.json().getAsJsonArray("trials").get(0).getAsJsonObject();
    assertThat(trial.getAsJsonObject("held_out").get("recall").getAsDouble()).isBetween(0.1, 1.0);
    assertThat(tune(16, "--min-recall=0.5").err().replaceAll("\\s+", " "))
        .contains("recall and nDCG of the first 10 texts need at least 11 texts, but there are 4");
  }

  @Test
  void reports_nothing_where_no_artifact_was_written() {
    Path reports = folder.resolve("reports");

    tune(8, "--max-size=3B", "--report=" + reports);

    assertThat(reports).doesNotExist();
  }

  @Test
  void prints_a_row_for_each_trial() {
    Session session = tune(8, "--min-cosine=0.5");

    assertThat(session.out())
        .contains("samples: 4 calibrate, 2 guide the search, 2 are held out")
        .containsPattern("best +text weight_only_ptq int8 minmax");
  }

  @Test
  void writes_no_artifact_where_nothing_is_within_the_budget() throws Exception {
    Session session = tune(8, "--max-size=3B");

    assertThat(session.exitCode()).isEqualTo(ExitCode.GATE_FAILED);
    assertThat(session.err())
        .contains("nothing is within the budget: the nearest is text weight_only_ptq")
        .contains("more than 3; its spec was written, no artifact");
    assertThat(out.resolve(TextBackend.ARTIFACT)).doesNotExist();
    assertThat(Files.readString(out.resolve("spec.yaml"))).contains("none is within the budget");
  }

  @Test
  void a_failure_to_write_the_artifact_leaves_the_spec_and_all_that_was_tried() throws Exception {
    Files.createDirectories(out.resolve(TextBackend.ARTIFACT));

    Session session = tune(8, "--min-cosine=0.5");

    assertThat(session.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(session.out())
        .containsPattern("best +text weight_only_ptq int8 minmax")
        .contains("This spec is in " + out.resolve("spec.yaml"));
    assertThat(session.err().replaceAll("\\s+", " "))
        .contains(
            "no artifact was written; 'kvant quantize -c %s' writes it from the spec that was found"
                .formatted(out.resolve("spec.yaml")))
        .contains("is a folder; move it away so that the artifact can be written");
    assertThat(Files.readString(out.resolve("spec.yaml")))
        .startsWith("# Written by 'kvant tune'; copy it to change it,")
        .contains("backend: text");
    assertThat(out.resolve("tuning.json")).content().contains("text weight_only_ptq int8 minmax");
  }

  @Test
  void replaces_what_an_earlier_search_wrote_and_nothing_else() throws Exception {
    assertThat(tune(8, "--min-cosine=0.5").exitCode()).isZero();
    assertThat(tune(8, "--min-cosine=0.5").exitCode()).isZero();

    for (String name : List.of("spec.yaml", "tuning.json")) {
      Path file = out.resolve(name);
      String own = Files.readString(file);
      Files.writeString(file, "{\"mine\": 1}");
      Session session = tune(8, "--min-cosine=0.5");
      assertThat(session.exitCode()).isEqualTo(ExitCode.FAILED);
      assertThat(session.err().replaceAll("\\s+", " "))
          .contains(file + " exists and was not written by");
      assertThat(file).hasContent("{\"mine\": 1}");
      Files.writeString(file, own);
    }
  }

  @Test
  void refuses_a_folder_that_is_a_file() throws Exception {
    Files.writeString(out, "x");

    Session session = tune(8, "--min-cosine=0.5");

    assertThat(session.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(session.err()).contains("the folder %s cannot be made".formatted(out));
  }

  @Test
  void needs_enough_samples_to_hold_some_out() {
    Session session = tune(7, "--min-cosine=0.5");

    assertThat(session.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(session.err().replaceAll("\\s+", " "))
        .contains(
            "data.npz has 7 samples; tune needs at least 8: half of them calibrate, a quarter"
                + " guides the search, and a quarter is held out to judge the result");
  }

  @Test
  void needs_data() {
    Session session = Session.run("tune", model.toString());

    assertThat(session.exitCode()).isEqualTo(ExitCode.WRONG_INPUT);
    assertThat(session.err()).contains("give data with --data PATH");
  }

  @Test
  void refuses_values_that_are_none() {
    assertThat(tune(8, "--max-size=much").err()).contains("--max-size must be a size as in 25MB");
    assertThat(tune(8, "--max-size=9223372036854775808").err().replaceAll("\\s+", " "))
        .contains(
            "--max-size must be at most 9223372036854775807 bytes, not '9223372036854775808'");
    assertThat(tune(8, "--max-size=9223372036.854775808GB").err())
        .contains("--max-size must be at most 9223372036854775807 bytes");
    assertThat(tune(8, "--time=soon").err()).contains("--time must be a time as in 90s, 5m or 1h");
    assertThat(tune(8, "--time=99999999999999999999").err())
        .contains("--time must be a time as in 90s, 5m or 1h");
    assertThat(tune(8, "--time=99999999h").err()).contains("--time must be at most 365 days");
    assertThat(tune(8, "--prefer=beauty").err())
        .contains("--prefer must be size, speed or accuracy, not 'beauty'");
    assertThat(tune(8, "--min-cosine=2").err()).contains("minCosine: must be from -1 to 1");
    assertThat(tune(8, "--min-recall=2").err()).contains("minRecall: must be from 0 to 1");
    assertThat(tune(8, "--top-k=0").err()).contains("--top-k must be at least 1, not 0");
    assertThat(tune(8, "--embeddings=max").err())
        .contains("--embeddings must be mean or cls, not 'max'");
    assertThat(tune(8, "--samples=4").err()).contains("samples: must be at least 8, was 4");
    assertThat(tune(8, "quantize.strict=false").err())
        .contains("'quantize.strict=false': tune chooses the keys of the spec");
  }
}
