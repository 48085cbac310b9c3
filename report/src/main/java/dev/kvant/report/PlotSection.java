package dev.kvant.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The plots of a page: their places, and the numbers that a script draws. */
final class PlotSection {

  /** Of fewer batches the times show no distribution. */
  private static final int FEWEST_BATCHES = 5;

  private final Tree report;
  private final List<Tree> modules;
  private final List<Tree> timed;
  private final List<Tree> trials;

  PlotSection(Tree report) {
    this.report = report;
    this.modules = report.trees("modules");
    this.timed =
        report.tree("evaluation").trees("models").stream()
            .filter(model -> model.numbers("latencies_ms").size() >= FEWEST_BATCHES)
            .toList();
    this.trials =
        report.trees("trials").stream()
            .filter(trial -> trial.number("bytes").isPresent())
            .filter(trial -> cosine(trial).isPresent())
            .toList();
  }

  /** The similarity that a search measured on samples that it held out. */
  static Optional<Double> cosine(Tree trial) {
    return trial.tree("held_out").number("cosine_mean");
  }

  void write(Html html) {
    if (modules.isEmpty() && timed.isEmpty() && trials.isEmpty()) {
      return;
    }
    html.element("h2", "Plots")
        .open("noscript")
        .element("p", "Plots require JavaScript. The table of modules has their numbers.")
        .close("noscript")
        .open("div", "class", "plots")
        .line();
    if (!trials.isEmpty()) {
      figure(
          html,
          "trials",
          "What was tried",
          "Measured: size and similarity to the source on held-out samples, a dot for each"
              + " configuration. Smaller is to the left, better is up.",
          "%d configurations.".formatted(trials.size()));
    }
    if (hasRatios()) {
      figure(
          html,
          "sqnr",
          "SQNR of the weights",
          "Measured on the weights of each quantized module, in the order of the model. Higher is"
              + " better.",
          ratios());
    }
    if (!modules.isEmpty()) {
      figure(
          html,
          "sizes",
          "Size before and after",
          "Counted: the bytes of each module's tensors, in the source and in the smallest"
              + " artifact. The scale is logarithmic.",
          "Two dots for each of %d modules.".formatted(modules.size()));
    }
    if (!timed.isEmpty()) {
      figure(
          html,
          "latencies",
          "Latency of a batch",
          "Measured%s: the share of batches that took at most that long."
              .formatted(SummaryCards.processor(report).map(name -> " on " + name).orElse("")),
          "A curve for each of %d models.".formatted(timed.size()));
    }
    html.close("div").line();
  }

  private static void figure(Html html, String plot, String title, String how, String label) {
    html.open("figure")
        .open("figcaption")
        .element("h3", title)
        .element("p", how)
        .close("figcaption")
        .element(
            "div",
            "",
            "class",
            "plot",
            "data-plot",
            plot,
            "role",
            "img",
            "aria-label",
            title + ". " + label + " The tables have the numbers.")
        .close("figure")
        .line();
  }

  private boolean hasRatios() {
    return modules.stream().anyMatch(module -> module.number("sqnr_db").isPresent());
  }

  private String ratios() {
    List<Tree> measured =
        modules.stream()
            .filter(module -> module.number("sqnr_db").isPresent())
            .sorted(Comparator.comparing(module -> module.number("sqnr_db").orElseThrow()))
            .toList();
    return "%d modules, from %s in %s to %s in %s."
        .formatted(
            measured.size(),
            Figures.decibels(measured.get(0).number("sqnr_db").orElseThrow()),
            measured.get(0).textOrEmpty("module"),
            Figures.decibels(measured.get(measured.size() - 1).number("sqnr_db").orElseThrow()),
            measured.get(measured.size() - 1).textOrEmpty("module"));
  }

  /** The numbers, by plot. */
  JsonDocument data() {
    List<String> names = modules.stream().map(module -> module.textOrEmpty("module")).toList();
    return new JsonDocument()
        .put(
            "trials",
            trials.stream()
                .map(
                    trial ->
                        new JsonDocument()
                            .put("name", trial.textOrEmpty("name"))
                            .put("bytes", trial.number("bytes"))
                            .put("cosine", cosine(trial))
                            .put("frontier", trial.isTrue("frontier"))
                            .put("best", trial.isTrue("best")))
                .toList())
        .put("sqnr", Map.of("names", names, "sqnr", column("sqnr_db")))
        .put(
            "sizes",
            Map.of(
                "names", names, "before", column("bytes_before"), "after", column("bytes_after")))
        .put(
            "latencies",
            timed.stream()
                .map(
                    model ->
                        Map.of(
                            "name",
                            ReportPage.fileName(model.textOrEmpty("path")),
                            "millis",
                            model.numbers("latencies_ms")))
                .toList());
  }

  private List<@Nullable Double> column(String key) {
    List<@Nullable Double> column = new ArrayList<>();
    modules.forEach(module -> column.add(module.number(key).orElse(null)));
    return column;
  }
}
