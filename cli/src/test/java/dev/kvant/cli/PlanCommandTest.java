package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {

  @TempDir private Path folder;
  private Models models;

  @BeforeEach
  void write() {
    models = new Models(folder);
    models.model(Models.SMALL);
  }

  @Test
  void shows_what_would_be_done_and_writes_nothing() {
    Session session = Session.run("plan", "-c", models.spec().toString());

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .endsWith(
            """
            , text: backend text, mode weight_only_ptq

            module         class      weights         rule                   size
            ─────────────────────────────────────────────────────────────────────
            encoder.embed  Embedding  float32                             3.20 kB
            encoder.fc1    Linear     float32 → int8  layers[0] 'Linear'    576 B
            fc2            Linear     float16 → int8  layers[0] 'Linear'    136 B
            """);
    assertThat(models.results()).doesNotExist();
  }

  @Test
  void needs_no_folder_for_results() {
    Path spec =
        models.spec(
            """
            results_dir: ???
            quantize:
              backend: text
              results_dir: ${results_dir}
              layers:
                - module_name: Linear
                  weights: { dtype: int8 }
            """);

    Session session =
        Session.run(
            "plan", "-e", spec.toString(), "--model", folder.resolve("model.text").toString());

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
  }

  @Test
  void a_module_that_cannot_be_had_is_noted_and_warned_of() {
    Session session =
        Session.run("plan", "-c", models.spec().toString(), "quantize.layers[0].module_name=*");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .endsWith(
            """
            module         class      weights         rule              size  note
            ──────────────────────────────────────────────────────────────────────
            encoder.embed  Embedding  float32         layers[0] '*'  3.20 kB     1
            encoder.fc1    Linear     float32 → int8  layers[0] '*'    576 B
            fc2            Linear     float16 → int8  layers[0] '*'    136 B

            note 1: only Linear is text enough
            """);
    assertThat(session.err())
        .startsWith("warning: ")
        .contains("encoder.embed (Embedding): only Linear is text enough");
  }

  @Test
  void all_problems_are_told_at_once() {
    Session session =
        Session.run(
            "plan",
            "-c",
            models.spec().toString(),
            "quantize.layers[0].weights.dtype=int4",
            "quantize.device=tpu",
            "quantize.colour=red");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.out()).isEmpty();
    assertThat(session.err())
        .startsWith("error: 3 problems in the configuration\n")
        .contains(
            "  - quantize.layers[0].weights.dtype: ",
            "  - quantize.device: ",
            "  - quantize.colour: ");
  }

  @Test
  void programs_get_all_problems_too() {
    Session session =
        Session.run(
            "plan",
            "-c",
            models.spec().toString(),
            "quantize.layers[0].weights.dtype=int4",
            "quantize.colour=red",
            "--format=json");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.json().getAsJsonObject("error").getAsJsonArray("problems"))
        .extracting(each -> each.getAsJsonObject().get("path").getAsString())
        .containsExactlyInAnyOrder("quantize.layers[0].weights.dtype", "quantize.colour");
  }

  @Test
  void problems_are_broken_into_lines_where_room_is_short() {
    Session session =
        Session.run(
            new Installations(java.util.List.of()),
            60,
            "plan",
            "-c",
            models.spec().toString(),
            "quantize.layers[0].weights.dtype=int4",
            "quantize.colour=red");

    assertThat(session.err().lines())
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(60));
  }

  @Test
  void a_missing_spec_is_wrong_input() {
    Session session = Session.run("plan", "-c", "nothing.yaml");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).isEqualTo("error: the file nothing.yaml does not exist\n");
  }

  @Test
  void a_spec_without_a_model_is_wrong_input() {
    Path spec = models.spec("quantize: { backend: text, results_dir: out }");

    Session session = Session.run("plan", "-c", spec.toString());

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .isEqualTo("error: quantize.model_path: is required; set it or give --model FILE\n");
  }

  @Test
  void an_override_that_is_none_is_wrong_input() {
    Session session = Session.run("plan", "-c", models.spec().toString(), "int8");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("'int8'", "KEY=VALUE");
  }

  @Test
  void equal_modules_of_a_long_model_share_a_row() {
    models.model(
        IntStream.range(0, 24)
            .mapToObj(
                i ->
                    "layers.%d.fc Linear weight:float32:10x10\nlayers.%d.norm LayerNorm weight:float32:10\n"
                        .formatted(i, i))
            .collect(Collectors.joining()));

    Session session = Session.run("plan", "-c", models.spec().toString());

    assertThat(session.out())
        .endsWith(
            """
            module          ×  class      weights         rule                   size
            ─────────────────────────────────────────────────────────────────────────
            layers.*.fc    24  Linear     float32 → int8  layers[0] 'Linear'  9.60 kB
            layers.*.norm  24  LayerNorm  float32                               960 B

            48 modules in 2 rows: equal ones share a row, with sizes added up and the lowest SQNR; --all shows each.
            """);
    assertThat(Session.run("plan", "-c", models.spec().toString(), "--all").out())
        .contains("layers.0.fc", "layers.23.norm")
        .doesNotContain("layers.*");
  }

  @Test
  void tells_programs_the_same() {
    JsonObject json =
        Session.run("plan", "-c", models.spec().toString(), "--format", "json").json();

    assertThat(json.get("backend").getAsString()).isEqualTo("text");
    assertThat(json.get("mode").getAsString()).isEqualTo("weight_only_ptq");
    JsonObject module = json.getAsJsonArray("modules").get(1).getAsJsonObject();
    assertThat(module.get("module").getAsString()).isEqualTo("encoder.fc1");
    assertThat(module.get("stored_dtype").getAsString()).isEqualTo("float32");
    JsonObject weights = module.getAsJsonObject("weights");
    assertThat(weights.get("dtype").getAsString()).isEqualTo("int8");
    assertThat(weights.getAsJsonObject("decided_by").get("index").getAsInt()).isZero();
    assertThat(weights.get("reason").isJsonNull()).isTrue();
    assertThat(json.getAsJsonObject("model").get("format").getAsString()).isEqualTo("text");
  }
}
