package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The report for programs")
class ReportDocumentTest {

  @TempDir private Path folder;

  private JsonObject report(JsonDocument document) {
    return JsonParser.parseString(document.json()).getAsJsonObject();
  }

  private JsonDocument document() {
    List<String> names = Samples.names(3);
    return ReportDocument.of(
        StoredModel.in(folder, names),
        Samples.saved(folder, names),
        Samples.evaluation(folder),
        new JsonDocument().put("path", null).put("text", "quantize: {}"));
  }

  @Test
  void begins_with_the_version_of_its_keys_and_has_all_parts() {
    assertThat(report(document()).keySet())
        .containsExactly(
            "report_version",
            "environment",
            "backend",
            "mode",
            "modules",
            "operators",
            "warnings",
            "requirements",
            "model",
            "artifacts",
            "verification",
            "evaluation",
            "spec");
    assertThat(report(document()).get("report_version").getAsInt()).isEqualTo(1);
  }

  @Test
  void tells_where_figures_were_measured() {
    JsonObject environment = report(document()).getAsJsonObject("environment");

    assertThat(environment.keySet())
        .containsExactly("kvant", "java", "os", "architecture", "processor", "processors");
    assertThat(environment.get("processors").getAsInt())
        .isEqualTo(Runtime.getRuntime().availableProcessors());
  }

  @Test
  void has_the_sizes_of_model_and_modules() {
    JsonObject report = report(document());

    JsonObject model = report.getAsJsonObject("model");
    assertThat(model.get("bytes").getAsLong()).isEqualTo(StoredModel.BYTES);
    assertThat(model.get("tensor_bytes").getAsLong()).isEqualTo(3 * 64);
    assertThat(model.get("files").getAsInt()).isEqualTo(1);
    JsonObject module = report.getAsJsonArray("modules").get(2).getAsJsonObject();
    assertThat(module.get("stored_dtype").getAsString()).isEqualTo("float16");
    assertThat(module.get("bytes_before").getAsLong()).isEqualTo(64);
    assertThat(module.get("bytes_after").getAsLong()).isEqualTo(34);
    assertThat(module.get("sqnr_db").getAsDouble()).isEqualTo(30.2);
  }

  @Test
  void has_the_values_of_operands_and_what_chose_their_ranges() {
    var modules = report(document()).getAsJsonArray("modules");

    JsonObject unknown = modules.get(0).getAsJsonObject().getAsJsonObject("distributions");
    assertThat(unknown.get("weights").isJsonNull()).isTrue();
    assertThat(unknown.get("activations").isJsonNull()).isTrue();
    JsonObject known = modules.get(2).getAsJsonObject().getAsJsonObject("distributions");
    assertThat(known.getAsJsonObject("activations"))
        .isEqualTo(
            JsonParser.parseString(
                """
                {"from": 0.0, "to": 8.0, "counts": [90, 10], "low": 0.0, "high": 4.5,
                 "criterion": "sqnr", "amax": [8.0, 4.0], "figures": [20.5, 24.25]}
                """));
    assertThat(known.getAsJsonObject("weights").get("criterion").isJsonNull()).isTrue();
    assertThat(document().json()).contains("\"counts\": [90, 10],");
  }

  @Test
  void has_the_times_of_batches_and_the_similarity_of_each_model() {
    var models = report(document()).getAsJsonObject("evaluation").getAsJsonArray("models");

    JsonObject reference = models.get(0).getAsJsonObject();
    assertThat(reference.get("cosine_mean").isJsonNull()).isTrue();
    assertThat(reference.get("latency_ms").getAsDouble()).isEqualTo(3);
    JsonObject artifact = models.get(1).getAsJsonObject();
    assertThat(artifact.get("cosine_mean").getAsDouble()).isEqualTo(0.9962);
    assertThat(artifact.get("top1").getAsDouble()).isEqualTo(0.8);
    assertThat(artifact.getAsJsonArray("latencies_ms"))
        .extracting(each -> each.getAsDouble())
        .containsExactly(1.0, 1.25, 1.5, 1.75, 2.5);
  }

  @Test
  void has_null_where_there_was_no_evaluation_and_no_made_spec() {
    List<String> names = Samples.names(1);

    JsonObject report =
        report(
            ReportDocument.of(
                StoredModel.in(folder, names), Samples.saved(folder, names), null, null));

    assertThat(report.get("evaluation").isJsonNull()).isTrue();
    assertThat(report.get("spec").isJsonNull()).isTrue();
  }

  @Test
  void is_read_as_it_was_written() {
    JsonDocument report = document();
    Path file = ReportFiles.at(folder.resolve("report.json")).write(report).get(0);

    JsonDocument read = ReportDocument.read(file);

    assertThat(ReportDocument.isReport(file)).isTrue();
    assertThat(read.json()).isEqualTo(report.json());
    assertThat(ReportPage.of(read.fields())).isEqualTo(ReportPage.of(report.fields()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"report_version\": 2} | is a report of version 2, and this Kvant reads up to 1",
        "{\"report_version\": \"1\"} | is not a report of Kvant: it has no number 'report_version'",
        "[1] | is not a report of Kvant: it has no number 'report_version'",
        "{\"report_version\": 1 | is not a valid report of Kvant:"
      })
  void is_not_read_if_it_is_another_or_damaged(String text, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("other.json"), text);

    assertThatThrownBy(() -> ReportDocument.read(file))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("other.json " + message);
  }

  @Test
  void is_not_read_if_it_is_not_there() {
    assertThatThrownBy(() -> ReportDocument.read(folder.resolve("gone.json")))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("gone.json cannot be read");
  }

  @Test
  void of_a_record_has_what_the_record_has() {
    List<String> names = Samples.names(3);
    StoredModel artifact = StoredModel.in(folder, names);

    JsonDocument document =
        ReportDocument.ofRecord(artifact, Samples.report(names), Optional.empty());

    JsonObject report = report(document);
    assertThat(report.keySet()).isEqualTo(report(document()).keySet());
    assertThat(report.get("model").isJsonNull()).isTrue();
    assertThat(report.getAsJsonArray("modules")).hasSize(3);
    assertThat(ReportPage.of(document.fields()))
        .contains("<h1>model.bin</h1>", "Not verified", "<dd class=\"big\">1.00 kB</dd>");
  }

  @Test
  void has_no_size_of_a_model_whose_file_is_gone() {
    StoredModel gone = new StoredModel(folder.resolve("gone.bin"), Samples.names(1));

    JsonObject report =
        report(ReportDocument.of(gone, Samples.saved(folder, gone.names()), null, null));

    assertThat(report.getAsJsonObject("model").get("bytes").isJsonNull()).isTrue();
  }
}
