package dev.kvant.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A report as one page of HTML for people. It loads nothing, runs only the scripts that it brings,
 * and shows all figures without them.
 *
 * @since 0.1.0
 */
public final class ReportPage {

  /** In the beginning of each page, which tells it from pages of others. */
  static final String GENERATOR = "content=\"Kvant report\"";

  private static final Set<String> WIDE_ONLY = Set.of("Before", "Cosine");

  private final Tree report;
  private final Html html = new Html();

  private ReportPage(Tree report) {
    this.report = report;
  }

  /**
   * Returns the page of a report.
   *
   * @param report the keys and values of {@link ReportDocument}; what is missing or of another type
   *     is left out
   */
  public static String of(Map<String, ?> report) {
    return new ReportPage(Tree.of(report)).page();
  }

  private String page() {
    String library =
        "\n/*\n" + resource("uplot/LICENSE") + "*/\n" + resource("uplot/uPlot.iife.min.js");
    String script = resource("report.js");
    html.line();
    html.open("html", "lang", "en").line().open("head").line();
    html.open("meta", "charset", "utf-8").line();
    html.open("meta", "name", "generator", "content", "Kvant report").line();
    html.open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").line();
    html.open(
            "meta",
            "http-equiv",
            "Content-Security-Policy",
            "content",
            "default-src 'none'; style-src 'unsafe-inline'; script-src "
                + hash(library)
                + " "
                + hash(script))
        .line();
    html.element("title", (isAnalysis() ? "Analysis of " : "Quantization of ") + modelName())
        .line();
    html.known("style", resource("uplot/uPlot.min.css") + "\n" + resource("report.css")).line();
    html.close("head").line().open("body").line();
    header();
    html.open("main").line();
    PlotSection plots = new PlotSection(report);
    if (isAnalysis()) {
      plots.write(html);
      groups();
    } else {
      new SummaryCards(report).write(html);
      warnings();
      artifacts();
      requirements();
      verification();
      evaluation();
      plots.write(html);
      trials();
      new ModuleSection(report).write(html);
      operators();
      spec();
    }
    html.close("main").line();
    footer();
    html.known("script", plots.data().inScript(), "type", "application/json", "id", "data").line();
    html.known("script", library).line();
    html.known("script", script).line();
    html.close("body").line().close("html").line();
    return "<!doctype html>" + html;
  }

  private boolean isAnalysis() {
    return !report.tree("analysis").isEmpty();
  }

  private void header() {
    html.open("header");
    if (!report.trees("modules").isEmpty()) {
      html.element("a", "Skip to the modules", "class", "skip", "href", "#modules");
    }
    html.element("p", isAnalysis() ? "Analysis" : "Quantization report", "class", "over");
    html.element("h1", modelName());
    List<String> facts =
        List.of(
            report.tree("model").textOrEmpty("path"),
            report.tree("model").textOrEmpty("format"),
            "backend " + report.textOrEmpty("backend"),
            report.textOrEmpty("mode"));
    html.element(
        "p",
        facts.stream().filter(fact -> !fact.isEmpty()).collect(Collectors.joining(" · ")),
        "class",
        "facts name");
    List<String> results =
        report.trees("verification").stream().map(each -> each.textOrEmpty("status")).toList();
    if (results.contains("rejected")) {
      html.element("p", "✗ Rejected by its verification", "class", "status bad");
    } else if (!results.isEmpty() && results.stream().allMatch("verified"::equals)) {
      html.element("p", "✓ Verified beside its source", "class", "status good");
    } else if (results.contains("verified")) {
      html.element("p", "Verified in part", "class", "status fair");
    } else if (!isAnalysis()) {
      html.element("p", "Not verified", "class", "status fair");
    }
    html.close("header").line();
  }

  private String modelName() {
    String name =
        fileName(
            report
                .tree("model")
                .text("path")
                .or(
                    () ->
                        report.trees("artifacts").stream()
                            .findFirst()
                            .flatMap(artifact -> artifact.text("path")))
                .orElse(""));
    return name.isEmpty() ? "a model" : name;
  }

  /** The last name of a path of any system. */
  static String fileName(String path) {
    return path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  }

  private void warnings() {
    List<Tree> warnings = report.trees("warnings");
    if (warnings.isEmpty()) {
      return;
    }
    html.element("h2", "Warnings").open("ul", "class", "notes");
    warnings.forEach(warning -> html.element("li", warning.textOrEmpty("message")));
    html.close("ul").line();
  }

  private void artifacts() {
    List<Tree> artifacts = report.trees("artifacts");
    if (artifacts.isEmpty()) {
      return;
    }
    Optional<Long> before = report.tree("model").whole("bytes");
    html.element("h2", "What was written");
    table("Measured: sizes of files on disk. Derived: their share of the original.");
    head("File", "Size>", "Of original>", "What for");
    html.open("tbody");
    if (before.isPresent()) {
      html.open("tr", "class", "native")
          .element("th", report.tree("model").textOrEmpty("path"), "scope", "row", "class", "name");
      number(Figures.bytes(before.get()));
      number("");
      html.element("td", "the original model").close("tr").line();
    }
    for (Tree artifact : artifacts) {
      Optional<Long> bytes = artifact.whole("bytes");
      html.open("tr").element("th", artifact.textOrEmpty("path"), "scope", "row", "class", "name");
      number(bytes.map(Figures::bytes).orElse(""));
      number(
          bytes.isPresent() && before.isPresent() && before.get() > 0
              ? Figures.percent((double) bytes.get() / before.get())
              : "");
      html.element("td", artifact.textOrEmpty("description")).close("tr").line();
    }
    endTable();
  }

  private void requirements() {
    List<Tree> requirements = report.trees("requirements");
    if (requirements.isEmpty()) {
      return;
    }
    html.element("h2", "What it requires");
    table("Derived: from what the artifacts hold.");
    head("Requires", "Value", "Why");
    html.open("tbody");
    for (Tree requirement : requirements) {
      html.open("tr")
          .element("th", requirement.textOrEmpty("of"), "scope", "row")
          .element("td", requirement.textOrEmpty("value"))
          .element("td", requirement.textOrEmpty("reason"))
          .close("tr")
          .line();
    }
    endTable();
  }

  private void verification() {
    List<Tree> verifications = report.trees("verification");
    if (verifications.isEmpty()) {
      return;
    }
    html.element("h2", "Verification");
    table("Measured: each artifact beside its source, on the same samples" + environment() + ".");
    head("Artifact", "Result", "On", "Lowest SQNR>");
    html.open("tbody");
    for (Tree verification : verifications) {
      String status = verification.textOrEmpty("status");
      html.open("tr")
          .element("th", verification.textOrEmpty("path"), "scope", "row", "class", "name")
          .open("td");
      html.element(
          "span",
          status.replace('_', ' '),
          "class",
          status.equals("verified") ? "good" : status.equals("rejected") ? "bad" : "fair");
      verification
          .text("reason")
          .ifPresent(reason -> html.element("span", reason, "class", "more"));
      html.close("td").element("td", subject(verification));
      number(lowest(verification));
      html.close("tr").line();
    }
    endTable();
  }

  private static String subject(Tree verification) {
    long tensors = verification.whole("tensors").orElse(0L);
    long samples = verification.whole("samples").orElse(0L);
    if (tensors > 0) {
      return tensors + (tensors == 1 ? " tensor read back" : " tensors read back");
    }
    return samples == 0
        ? ""
        : samples
            + (samples == 1 ? " sample" : " samples")
            + (verification.isTrue("synthetic") ? " of made-up values" : "");
  }

  private static String lowest(Tree verification) {
    List<Tree> ratios =
        verification.whole("tensors").orElse(0L) > 0
            ? verification.trees("weights")
            : verification.trees("outputs");
    return ratios.stream()
        .flatMap(ratio -> ratio.number("sqnr").stream())
        .min(Double::compare)
        .map(Figures::decibels)
        .orElse(ratios.isEmpty() ? "" : "equal");
  }

  private void evaluation() {
    Tree evaluation = report.tree("evaluation");
    List<Tree> models = evaluation.trees("models");
    if (models.isEmpty()) {
      return;
    }
    html.element("h2", "Before and after");
    table(
        "Measured on %s of %s, %s at once on %s%s. Latency is the median of the times of batches."
            .formatted(
                count(evaluation.whole("samples").orElse(0L), "sample"),
                evaluation.textOrEmpty("data"),
                evaluation.whole("batch_size").map(String::valueOf).orElse("?"),
                evaluation.textOrEmpty("device"),
                environment()));
    html.open("thead").open("tr").element("th", "Figure", "scope", "col");
    for (Tree model : models) {
      html.element("th", fileName(model.textOrEmpty("path")), "scope", "col", "class", "n name");
    }
    html.close("tr").close("thead").line().open("tbody").line();
    figures("Size", models, model -> model.whole("bytes").map(Figures::bytes));
    figures("Top-1", models, model -> model.number("top1").map(Figures::percent));
    figures("Cosine", models, model -> model.number("cosine_mean").map(Figures::cosine));
    figures("Min cosine", models, model -> model.number("cosine_min").map(Figures::cosine));
    figures(
        "SQNR",
        models,
        model ->
            model.isTrue("identical")
                ? Optional.of("identical")
                : model.number("sqnr_db").map(Figures::decibels));
    figures(
        "Not finite",
        models,
        model -> model.whole("not_finite").filter(count -> count > 0).map(String::valueOf));
    figures("Latency", models, model -> model.number("latency_ms").map(Figures::millis));
    endTable();
  }

  /** A row, if a model has the figure. */
  private void figures(String name, List<Tree> models, Function<Tree, Optional<String>> figure) {
    List<Optional<String>> cells = models.stream().map(figure).toList();
    if (cells.stream().allMatch(Optional::isEmpty)) {
      return;
    }
    html.open("tr").element("th", name, "scope", "row");
    cells.forEach(cell -> number(cell.orElse("")));
    html.close("tr").line();
  }

  /** What the figures were measured on, as the end of a clause. */
  private String environment() {
    return SummaryCards.processor(report).map(", "::concat).orElse("");
  }

  private void trials() {
    List<Tree> trials = report.trees("trials");
    if (trials.isEmpty()) {
      return;
    }
    html.element("h2", "What was tried");
    table("Measured beside the source, on held-out samples" + environment() + ".");
    head("Configuration", "Size>", "Cosine>", "Speed>", "Result");
    html.open("tbody");
    for (Tree trial : trials) {
      html.open("tr", "class", trial.isTrue("frontier") ? null : "native")
          .element("th", trial.textOrEmpty("name"), "scope", "row", "class", "name");
      number(trial.whole("bytes").map(Figures::bytes).orElse(""));
      number(PlotSection.cosine(trial).map(Figures::cosine).orElse(""));
      number(trial.tree("latency").number("speedup").map(Figures::factor).orElse(""));
      html.element(
              "td",
              trial.isTrue("best")
                  ? "best"
                  : trial.isTrue("frontier")
                      ? "on the frontier"
                      : trial.text("failure").orElse("beaten by another"))
          .close("tr")
          .line();
    }
    endTable();
  }

  /** What each group of modules costs. */
  private void groups() {
    Tree analysis = report.tree("analysis");
    html.element("h2", "Which modules suffer");
    table(
        "Measured on %s, beside the outputs of the model%s. %d of %s finished; the most sensitive"
                .formatted(
                    count(analysis.whole("samples").orElse(0L), "sample"),
                    environment(),
                    analysis.size("groups"),
                    count(analysis.whole("total_groups").orElse(0L), "group"))
            + " group comes first.");
    html.open("thead").open("tr").element("th", "Modules", "scope", "col");
    for (String name :
        List.of("Before", "After", "Alone: SQNR", "Cosine", "Others: SQNR", "Cosine")) {
      html.element("th", name, "scope", "col", "class", style(name));
    }
    html.close("tr").close("thead").line().open("tbody");
    for (Tree group : analysis.trees("groups")) {
      html.open("tr")
          .element(
              "th", String.join(", ", group.texts("modules")), "scope", "row", "class", "name");
      html.element(
          "td",
          group.whole("bytes_before").map(Figures::bytes).orElse(""),
          "class",
          style("Before"));
      number(group.whole("bytes_after").map(Figures::bytes).orElse(""));
      for (String part : List.of("alone", "all_but_it")) {
        number(sqnr(group.tree(part)));
        html.element(
            "td",
            group.tree(part).number("cosine_mean").map(Figures::cosine).orElse(""),
            "class",
            style("Cosine"));
      }
      html.close("tr").line();
    }
    endTable();
  }

  /** Phones have room for the most important columns alone. */
  private static String style(String column) {
    return WIDE_ONLY.contains(column) ? "n wide-only" : "n";
  }

  private static String sqnr(Tree similarity) {
    return similarity.isTrue("identical")
        ? "identical"
        : similarity.number("sqnr_db").map(Figures::decibels).orElse("");
  }

  private void operators() {
    List<Tree> operators = report.trees("operators");
    if (operators.isEmpty()) {
      return;
    }
    html.element("h2", "Operators without weights");
    table("Counted: the operators of each class with the same result.");
    head("Class", "Number>", "Computes in", "Why");
    html.open("tbody");
    for (Tree operator : operators) {
      String dtype = operator.text("dtype").orElse("native");
      html.open("tr", "class", dtype.equals("native") ? "native" : null)
          .element("th", operator.textOrEmpty("class"), "scope", "row");
      number(String.valueOf(operator.size("names")));
      html.element("td", dtype).element("td", operator.textOrEmpty("reason")).close("tr").line();
    }
    endTable();
  }

  private void spec() {
    report
        .tree("spec")
        .text("text")
        .ifPresent(
            text ->
                html.open("details")
                    .element("summary", "The spec that was used")
                    .element("pre", text, "tabindex", "0")
                    .close("details")
                    .line());
  }

  private void footer() {
    Tree environment = report.tree("environment");
    String version = environment.text("kvant").map(" "::concat).orElse("");
    html.open("footer")
        .element(
            "p",
            ("Made by Kvant%s. Measured: read from files, tensors or clocks in this run. Derived:"
                    + " computed from measured figures.")
                .formatted(version))
        .close("footer")
        .line();
  }

  private void table(String caption) {
    html.open("div", "class", "scroll").open("table").element("caption", caption).line();
  }

  private void endTable() {
    html.close("tbody").close("table").close("div").line();
  }

  /** The header; a name that ends in {@code >} is of numbers. */
  private void head(String... names) {
    html.open("thead").open("tr");
    for (String name : names) {
      boolean number = name.endsWith(">");
      html.element(
          "th",
          number ? name.substring(0, name.length() - 1) : name,
          "scope",
          "col",
          "class",
          number ? "n" : null);
    }
    html.close("tr").close("thead").line();
  }

  private void number(String text) {
    html.element("td", text, "class", "n");
  }

  static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }

  private static String hash(String script) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      // Every Java has it.
      throw new IllegalStateException(e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the jar of reports lacks its file " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
