package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The page of a report")
class ReportPageTest {

  private static final String HOSTILE =
      "</script><img src=x onerror=\"alert(1)\">'&<!--\u202e\u0007";

  private static final Pattern ROW =
      Pattern.compile("<tr data-state=\"(\\w+)\".*?</tr>", Pattern.DOTALL);

  private static final Pattern VALUE = Pattern.compile("data-v=\"([^\"]*)\"");

  @TempDir private Path folder;

  private JsonDocument report(List<String> names) {
    return ReportDocument.of(
        StoredModel.in(folder, names),
        Samples.saved(folder, names),
        Samples.evaluation(folder),
        new JsonDocument().put("path", null).put("text", "quantize:\n  backend: sample\n"));
  }

  private String page(JsonDocument report) {
    return ReportPage.of(report.fields());
  }

  private static List<String> rows(String page) {
    return ROW.matcher(page).results().map(MatchResult::group).toList();
  }

  private static List<String> values(String row) {
    return VALUE.matcher(row).results().map(value -> value.group(1)).toList();
  }

  @Test
  void is_one_document_that_loads_nothing() {
    String page = page(report(Samples.names(3)));

    assertThat(page).startsWith("<!doctype html>\n<html lang=\"en\">").endsWith("</html>\n");
    assertThat(page)
        .contains("default-src &#39;none&#39;")
        .doesNotContain("<link", "src=", "@import", "url(", "<!--");
  }

  @Test
  void runs_its_own_scripts_only() throws Exception {
    String page = page(report(Samples.names(3)));

    for (MatchResult script :
        Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL)
            .matcher(page)
            .results()
            .toList()) {
      byte[] digest =
          java.security.MessageDigest.getInstance("SHA-256")
              .digest(script.group(1).getBytes(StandardCharsets.UTF_8));
      assertThat(page)
          .contains("sha256-" + Html.escaped(java.util.Base64.getEncoder().encodeToString(digest)));
    }
    assertThat(page).doesNotContain("unsafe-eval").doesNotContainPattern("script-src[^;\"]*unsafe");
  }

  @Test
  void has_the_numbers_of_the_report_in_each_row() {
    JsonDocument report = report(Samples.names(40));
    JsonArray modules =
        JsonParser.parseString(report.json()).getAsJsonObject().getAsJsonArray("modules");

    List<String> rows = rows(page(report));

    assertThat(rows).hasSize(40);
    for (int i = 0; i < rows.size(); i++) {
      JsonObject module = modules.get(i).getAsJsonObject();
      JsonElement sqnr = module.get("sqnr_db");
      assertThat(values(rows.get(i)))
          .containsExactly(
              String.valueOf(i + 1),
              module.get("bytes_before").getAsString(),
              module.get("bytes_after").getAsString(),
              i == 1 ? "Infinity" : sqnr.isJsonNull() ? "" : sqnr.getAsString());
      assertThat(rows.get(i))
          .contains(
              ">" + module.get("module").getAsString() + "<",
              i == 1
                  ? ">lossless<"
                  : sqnr.isJsonNull()
                      ? "data-v=\"\"></td>"
                      : String.format(Locale.ROOT, ">%.1f dB<", sqnr.getAsDouble()));
    }
  }

  @Test
  void says_first_what_came_out() {
    String page = page(report(Samples.names(4)));

    assertThat(page.substring(0, page.indexOf("<h2>")))
        .contains("✓ Verified beside its source")
        .contains("<dt>Size</dt><dd class=\"big\">500 B</dd><dd>50.0 % of 1.00 kB</dd>")
        .contains("<dt>Speed</dt><dd class=\"big\">2.00 ×</dd><dd>1.50 ms a batch, 3.00 ms before")
        .contains("<dt>Cosine similarity</dt><dd class=\"big\">0.996200</dd>")
        .contains("min 0.989100; top-1 80.0 %, 90.0 % before")
        .contains("<dd class=\"big\">3 of 4</dd><dd>lowest SQNR 30.2 dB, encoder.layer.2.dense");
  }

  @Test
  void says_of_each_figure_whether_it_was_measured_and_on_what() {
    JsonDocument report = report(Samples.names(4));
    JsonObject environment =
        JsonParser.parseString(report.json()).getAsJsonObject().getAsJsonObject("environment");
    String processor =
        environment
            .get(environment.get("processor").isJsonNull() ? "architecture" : "processor")
            .getAsString();

    String page = page(report);

    assertThat(Pattern.compile("<dt>").matcher(page).results().count()).isEqualTo(4);
    assertThat(Pattern.compile("class=\"how\">(Measured|Derived)").matcher(page).results().count())
        .isEqualTo(4);
    assertThat(
            Pattern.compile("<caption>[^<]*(Measured|Derived|Counted)")
                .matcher(page)
                .results()
                .count())
        .isEqualTo(Pattern.compile("<table").matcher(page).results().count());
    assertThat(page)
        .contains("Measured: median over 10 samples on cpu, " + Html.escaped(processor));
  }

  @Test
  void draws_the_numbers_of_the_report() {
    JsonDocument report = report(Samples.names(40));
    JsonObject json = JsonParser.parseString(report.json()).getAsJsonObject();
    JsonObject data = data(page(report));

    for (String key : List.of("sqnr_db", "bytes_before", "bytes_after")) {
      JsonArray drawn =
          key.equals("sqnr_db")
              ? data.getAsJsonObject("sqnr").getAsJsonArray("sqnr")
              : data.getAsJsonObject("sizes").getAsJsonArray(key.replace("bytes_", ""));
      List<JsonElement> expected =
          json.getAsJsonArray("modules").asList().stream()
              .map(module -> module.getAsJsonObject().get(key))
              .toList();
      assertThat(drawn.asList().stream().map(ReportPageTest::number))
          .containsExactlyElementsOf(expected.stream().map(ReportPageTest::number).toList());
    }
    JsonObject model = data.getAsJsonArray("latencies").get(1).getAsJsonObject();
    assertThat(model.get("name").getAsString()).isEqualTo("quantized.bin");
    assertThat(model.getAsJsonArray("millis"))
        .isEqualTo(
            json.getAsJsonObject("evaluation")
                .getAsJsonArray("models")
                .get(1)
                .getAsJsonObject()
                .getAsJsonArray("latencies_ms"));
  }

  private static double number(JsonElement value) {
    return value.isJsonNull() ? Double.NaN : value.getAsDouble();
  }

  private static JsonObject data(String page) {
    Matcher data =
        Pattern.compile("<script type=\"application/json\" id=\"data\">(.*?)</script>")
            .matcher(page);
    assertThat(data.find()).isTrue();
    return JsonParser.parseString(data.group(1)).getAsJsonObject();
  }

  @Test
  void shows_and_draws_what_a_search_has_tried() {
    JsonDocument report =
        report(Samples.names(2))
            .put(
                "trials",
                List.of(
                    trial("int8", 400, 0.99, true, true), trial("mixed", 500, 0.98, false, false)));

    String page = page(report);

    assertThat(page)
        .contains("data-plot=\"trials\"")
        .contains(
            "mixed</th><td class=\"n\">500 B</td><td class=\"n\">0.980000</td>"
                + "<td class=\"n\">1.50 ×</td><td>beaten by another</td>")
        .contains("<td>best</td>");
    JsonObject best = data(page).getAsJsonArray("trials").get(0).getAsJsonObject();
    assertThat(best.get("name").getAsString()).isEqualTo("int8");
    assertThat(best.get("cosine").getAsDouble()).isEqualTo(0.99);
    assertThat(best.get("best").getAsBoolean()).isTrue();
    assertThat(page(report(Samples.names(2)))).doesNotContain("data-plot=\"trials\"");
  }

  private static JsonDocument trial(
      String name, long bytes, double cosine, boolean frontier, boolean best) {
    return new JsonDocument()
        .put("name", name)
        .put("bytes", bytes)
        .put("held_out", Map.of("cosine_mean", cosine))
        .put("latency", Map.of("speedup", 1.5))
        .put("frontier", frontier)
        .put("best", best);
  }

  @Test
  void describes_each_plot_in_words() {
    String page = page(report(Samples.names(4)));

    assertThat(page)
        .contains("data-plot=\"sqnr\"", "data-plot=\"sizes\"", "data-plot=\"latencies\"")
        .contains(
            "aria-label=\"SQNR of the weights. 2 modules, from 30.2 dB in encoder.layer.2.dense to"
                + " 30.3 dB in encoder.layer.3.dense. The tables have the numbers.\"");
    assertThat(Pattern.compile("<figure>").matcher(page).results().count())
        .isEqualTo(Pattern.compile("role=\"img\"").matcher(page).results().count())
        .isEqualTo(
            Pattern.compile("<figcaption><h3>[^<]+</h3><p>(Measured|Counted|Derived)")
                .matcher(page)
                .results()
                .count());
  }

  @Test
  void draws_no_times_of_a_few_batches_and_no_ratios_where_there_are_none() {
    List<String> names = Samples.names(1);
    JsonDocument report =
        ReportDocument.of(StoredModel.in(folder, names), Samples.saved(folder, names), null, null);

    assertThat(page(report))
        .contains("data-plot=\"sizes\"")
        .doesNotContain("data-plot=\"latencies\"", "data-plot=\"sqnr\"");
  }

  @Test
  void brings_the_license_of_its_chart_library() {
    assertThat(page(report(Samples.names(1)))).contains("The MIT License", "uPlot (v1.");
  }

  @Test
  void shows_what_is_not_known_as_not_measured() {
    List<String> names = Samples.names(2);
    JsonDocument report =
        ReportDocument.of(StoredModel.in(folder, names), Samples.saved(folder, names), null, null);

    String page = page(report);

    assertThat(page)
        .contains("<dt>Speed</dt><dd class=\"big none\">not measured</dd>")
        .contains("<dt>SQNR of the outputs</dt><dd class=\"big\">33.3 dB</dd>")
        .doesNotContain("Before and after", "<details>");
  }

  @Test
  void tells_reasons_and_warnings() {
    String page = page(report(Samples.names(2)));

    assertThat(page).contains("<li>one thing is odd</li>");
    assertThat(rows(page).get(0))
        .startsWith("<tr data-state=\"native\" class=\"native reason\">")
        .contains("<span class=\"more\">its values are not finite</span>");
    assertThat(rows(page).get(1)).contains("float16 → int8", "axis");
  }

  @Test
  void counts_operators_without_weights() {
    assertThat(page(report(Samples.names(1))))
        .contains(
            "<th scope=\"row\">Add</th><td class=\"n\">2</td><td>native</td>"
                + "<td>it would be slower</td>");
  }

  @Test
  void says_what_the_artifacts_require() {
    assertThat(page(report(Samples.names(1))))
        .contains(
            "<th scope=\"row\">ONNX Runtime</th><td>1.22 or newer</td><td>blocks of 8 bits</td>");
  }

  @Test
  void has_tables_for_people_who_listen() {
    String page = page(report(Samples.names(2)));

    long tables = Pattern.compile("<table").matcher(page).results().count();
    assertThat(Pattern.compile("<caption>").matcher(page).results().count()).isEqualTo(tables);
    assertThat(page)
        .doesNotContainPattern("<th(?! scope=|ead)")
        .contains("aria-sort=\"ascending\"")
        .contains("<label for=\"filter\">", "<label for=\"state\">", "role=\"status\"");
  }

  @Test
  void never_takes_a_name_for_markup() {
    String page = page(report(List.of(HOSTILE, "fine")));

    assertThat(page)
        .contains("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;&lt;!--")
        .doesNotContain("<img", "\u0007")
        .doesNotContainPattern("</script><(?!/|script)");
    assertThat(data(page).getAsJsonObject("sizes").getAsJsonArray("names").get(0).getAsString())
        .isEqualTo(HOSTILE);
  }

  @Test
  void never_takes_any_text_of_a_foreign_report_for_markup() {
    JsonObject report = JsonParser.parseString(report(Samples.names(2)).json()).getAsJsonObject();
    poison(report);
    Map<?, ?> fields =
        java.util.Objects.requireNonNull(new com.google.gson.Gson().fromJson(report, Map.class));
    Map<String, Object> poisoned = new java.util.LinkedHashMap<>();
    fields.forEach((key, value) -> poisoned.put(String.valueOf(key), value));

    String page = ReportPage.of(poisoned);

    assertThat(page).contains("&lt;/script&gt;").doesNotContain("<img");
  }

  /** Adds markup to each text. */
  private static void poison(JsonElement element) {
    if (element.isJsonObject()) {
      JsonObject object = element.getAsJsonObject();
      for (String key : List.copyOf(object.keySet())) {
        JsonElement value = object.get(key);
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
          object.addProperty(key, value.getAsString() + HOSTILE);
        } else {
          poison(value);
        }
      }
    } else if (element.isJsonArray()) {
      element.getAsJsonArray().forEach(ReportPageTest::poison);
    }
  }

  @Test
  void is_made_of_a_report_that_lacks_anything() {
    assertThat(ReportPage.of(Map.of())).contains("<h1>a model</h1>", "Not verified");
    assertThat(ReportPage.of(Map.of("modules", 3, "model", List.of(), "evaluation", "none")))
        .contains("The model has no modules with weights.");
  }

  @Test
  void of_500_modules_has_less_than_2_megabytes() {
    String page = page(report(Samples.names(500)));

    assertThat(rows(page)).hasSize(500);
    assertThat(page.getBytes(StandardCharsets.UTF_8).length).isLessThan(2_000_000);
  }

  @Test
  void draws_the_values_of_operands_only_where_they_are_known() {
    String known = page(report(Samples.names(3)));
    String unknown = page(report(Samples.names(1)));

    assertThat(known)
        .contains("<h2>Values and ranges</h2>", "data-plot=\"values\"", "data-plot=\"choice\"")
        .contains("\"operand\":\"activations\"")
        .contains("\"counts\":[90,10]");
    assertThat(unknown).doesNotContain("Values and ranges", "data-plot=\"choice\"");
  }
}
