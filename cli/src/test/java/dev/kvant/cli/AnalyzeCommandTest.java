package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnalyzeCommandTest {

  @TempDir private Path folder;
  private Path model;
  private Path data;

  /** The text model rounds its input once any module is int8. */
  @BeforeEach
  void write() {
    model =
        new Models(folder)
            .model("first Linear weight:float32:2x2\nsecond Linear weight:float32:4x4\n");
    data =
        new NpzWriter()
            .floats("input", new float[] {3, 4.25f, 1, 0}, 2, 2)
            .write(folder.resolve("data.npz"));
  }

  private Path spec() throws Exception {
    return Files.writeString(
        folder.resolve("spec.yaml"),
        """
        quantize:
          model_path: %s
          backend: text
          mode: weight_only_ptq
          layers:
            - module_name: Linear
              weights: {dtype: int8}
          evaluation:
            path: %s
        """
            .formatted(model, data));
  }

  @Test
  void compares_each_group_alone_and_all_others() throws Exception {
    Session session = Session.run("analyze", "-c", spec().toString(), "--format=json");

    assertThat(session.err()).isEmpty();
    assertThat(session.exitCode()).isZero();
    JsonObject json = session.json();
    assertThat(json.get("complete").getAsBoolean()).isTrue();
    assertThat(json.get("samples").getAsInt()).isEqualTo(2);
    assertThat(json.getAsJsonArray("groups")).hasSize(2);
    JsonObject group = json.getAsJsonArray("groups").get(0).getAsJsonObject();
    assertThat(group.get("modules").getAsString()).isEqualTo("first");
    // The signal is 9 + 18.0625 + 1, the noise a quarter squared.
    assertThat(group.getAsJsonObject("alone").get("sqnr_db").getAsDouble())
        .isCloseTo(10 * Math.log10(28.0625 / 0.0625), within(1e-9));
    assertThat(group.get("bytes_before").getAsInt()).isEqualTo(16);
    assertThat(group.get("bytes_after").getAsInt()).isEqualTo(4);
  }

  @Test
  void prints_a_row_for_each_group() throws Exception {
    Session session = Session.run("analyze", "-c", spec().toString());

    assertThat(session.out())
        .startsWith(
            "%s: backend text, mode weight_only_ptq, 2 samples; all quantized: cosine 0.99"
                .formatted(model))
        .contains("26.5 dB")
        .containsPattern("1 +first +Linear +16 B +4 B")
        .containsPattern("2 +second +Linear +64 B +16 B");
  }

  @Test
  void keeps_finished_groups_in_a_file() throws Exception {
    Path finished = folder.resolve("groups.jsonl");
    String[] arguments = {
      "analyze", "-c", spec().toString(), "--finished", finished.toString(), "--format=json"
    };
    Session first = Session.run(arguments);
    assertThat(Files.readAllLines(finished)).hasSize(1 + 1 + 2 * 2);
    Session second = Session.run(arguments);
    assertThat(second.out()).isEqualTo(first.out());
    assertThat(Files.readAllLines(finished)).hasSize(1 + 1 + 2 * 2);
  }

  @Test
  void writes_a_report_with_a_plot_that_can_be_made_again() throws Exception {
    Path report = folder.resolve("results");
    Session session =
        Session.run("analyze", "-c", spec().toString(), "--report", report.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(session.out()).contains("The report is in " + report.resolve("report.html"));
    String page = Files.readString(report.resolve("report.html"));
    assertThat(page)
        .contains("<h2>Which modules suffer</h2>", "data-plot=\"groups\"", ">first<", ">second<")
        .contains("2 of 2 groups finished")
        .doesNotContain("The model has no modules", "id=\"modules\"");
    Path again = folder.resolve("again.html");
    Session.run("report", report.resolve("report.json").toString(), "--html", again.toString());
    assertThat(again).hasContent(page);
  }

  @Test
  void needs_data() {
    Session session = Session.run("analyze", model.toString());

    assertThat(session.exitCode()).isEqualTo(ExitCode.WRONG_INPUT);
    assertThat(session.err()).contains("outputs are compared on data; set it or give --data PATH");
  }

  @Test
  void needs_at_least_one_sample() throws Exception {
    Session session = Session.run("analyze", "-c", spec().toString(), "--samples=0");

    assertThat(session.exitCode()).isEqualTo(ExitCode.WRONG_INPUT);
    assertThat(session.err()).contains("--samples must be at least 1, not 0");
  }
}
