package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.runtime.report.ReportRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {

  @TempDir private Path folder;
  private Models models;
  private Path model;
  private Path html;

  @BeforeEach
  void write() {
    models = new Models(folder);
    model = models.model(Models.SMALL);
    html = folder.resolve("page.html");
  }

  private Session report(Path source) {
    return Session.run("report", source.toString(), "--html", html.toString());
  }

  @Test
  void makes_the_page_that_quantize_makes() throws IOException {
    Path reports = folder.resolve("reports");
    Session.run("quantize", "-c", models.spec().toString(), "--report", reports.toString());

    Session session = report(reports.resolve("report.json"));

    assertThat(session.err()).isEmpty();
    assertThat(session.out()).isEqualTo("The report is in %s.\n".formatted(html));
    assertThat(html).hasContent(Files.readString(reports.resolve("report.html")));
  }

  @Test
  void makes_a_page_of_the_record_in_an_artifact() throws IOException {
    ModuleDecision decision =
        new ModuleDecision(
            "fc2", "Linear", false, OperandDecision.untouched(), OperandDecision.untouched());
    Files.write(
        folder.resolve("model.text.record"),
        ReportRecord.write(
            new QuantizationReport(
                "text",
                QuantizationMode.WEIGHT_ONLY_PTQ,
                List.of(
                    ModuleReport.builder(decision)
                        .weights(OperandOutcome.quantized(Dtype.INT8, null, 41.25))
                        .bytes(136, 34)
                        .build()),
                List.of())));

    assertThat(report(model).exitCode()).isZero();
    assertThat(html)
        .content()
        .contains("<h1>model.text</h1>", "data-v=\"41.25\"", "Not verified")
        .contains("<dt>Speed</dt><dd class=\"big none\">not measured</dd>");
  }

  @Test
  void refuses_a_model_without_a_record() {
    Session session = report(model);

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).contains("is neither a report nor an artifact of Kvant");
    assertThat(html).doesNotExist();
  }

  @Test
  void refuses_to_replace_another_page() throws IOException {
    Files.writeString(html, "<h1>My page</h1>");

    Session session = report(model);

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).contains("page.html exists and is not a report of Kvant");
    assertThat(html).hasContent("<h1>My page</h1>");
  }

  @Test
  void wants_a_file_of_html() {
    Session session = Session.run("report", model.toString(), "--html", folder.toString());

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("--html must be a file that ends in .html");
  }

  @Test
  void tells_programs_where_the_page_is() {
    Path json = folder.resolve("report.json");
    Session.run("quantize", "-c", models.spec().toString(), "--report", json.toString());

    Session session =
        Session.run("report", json.toString(), "--html", html.toString(), "--format", "json");

    assertThat(session.json().get("html").getAsString()).isEqualTo(html.toString());
  }
}
