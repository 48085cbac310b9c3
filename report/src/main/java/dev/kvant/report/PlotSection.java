package dev.kvant.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The plots of a page: their places, and the numbers that a script draws. */
final class PlotSection {

  /** Of fewer batches the times show no distribution. */
  private static final int FEWEST_BATCHES = 5;

  private final Tree report;
  private final List<Tree> modules;
  private final List<Tree> timed;
  private final List<Tree> trials;
  private final List<JsonDocument> values;
  private final List<Tree> groups;

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
    this.values = modules.stream().flatMap(PlotSection::values).toList();
    this.groups =
        report.tree("analysis").trees("groups").stream()
            .filter(group -> group.tree("alone").number("sqnr_db").isPresent())
            .toList();
  }

  /** What is drawn of the operands of a module. */
  private static Stream<JsonDocument> values(Tree module) {
    return Stream.of("activations", "weights")
        .filter(operand -> module.tree("distributions").tree(operand).size("counts") > 0)
        .map(
            operand -> {
              Tree found = module.tree("distributions").tree(operand);
              return new JsonDocument()
                  .put("name", module.textOrEmpty("module"))
                  .put("operand", operand)
                  .put("algorithm", module.tree(operand).textOrEmpty("algorithm"))
                  .put("from", found.number("from"))
                  .put("to", found.number("to"))
                  .put("low", found.number("low"))
                  .put("high", found.number("high"))
                  .put("counts", wholes(found.numbers("counts")))
                  .put("criterion", found.text("criterion"))
                  .put("amax", found.numbers("amax"))
                  .put("figures", found.numbers("figures"));
            });
  }

  private static List<Long> wholes(List<Double> numbers) {
    return numbers.stream().map(Double::longValue).toList();
  }

  /** The similarity that a search measured on samples that it held out. */
  static Optional<Double> cosine(Tree trial) {
    return trial.tree("held_out").number("cosine_mean");
  }

  void write(Html html) {
    if (modules.isEmpty() && timed.isEmpty() && trials.isEmpty() && groups.isEmpty()) {
      return;
    }
    html.element("h2", "Plots")
        .open("noscript")
        .element("p", "Plots require JavaScript. The tables have most of their numbers.")
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
    if (!groups.isEmpty()) {
      figure(
          html,
          "groups",
          "Loss by group",
          "Measured: the SQNR of the model's outputs if only that group of modules is quantized,"
              + " and if all but it are. The most sensitive group is on the left.",
          "Two dots for each of %d groups.".formatted(groups.size()));
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
    if (!values.isEmpty()) {
      operands(html);
    }
  }

  /** The values of one operand, which a list chooses, and why its range was chosen. */
  private void operands(Html html) {
    html.element("h2", "Values and ranges")
        .open("div", "class", "controls", "id", "operands", "hidden", "")
        .element("label", "Values of", "for", "operand")
        .open("select", "id", "operand")
        .close("select")
        .element("p", "", "id", "range", "role", "status")
        .close("div")
        .line()
        .open("div", "class", "plots", "id", "values")
        .line();
    figure(
        html,
        "values",
        "Values and the range that codes hold",
        "Counted: how many values are in each of up to 128 bins, on a logarithmic scale; of large"
            + " weights and smoothed inputs in a sample. Values beyond the shaded range are"
            + " clipped. Where each channel has a range, the widest is shown.",
        "%d operands.".formatted(values.size()));
    if (values.stream().anyMatch(each -> each.fields().get("criterion") != null)) {
      figure(
          html,
          "choice",
          "What chose the range",
          "Derived from the counted values: what the algorithm compares, for ranges that shrink at"
              + " both ends alike. The line marks the chosen range.",
          "A curve for each searched range.");
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
        .put("values", values)
        .put("groups", groups.stream().map(PlotSection::group).toList())
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

  private static JsonDocument group(Tree group) {
    return new JsonDocument()
        .put("name", String.join(", ", group.texts("modules")))
        .put("alone", group.tree("alone").number("sqnr_db"))
        .put("others", group.tree("all_but_it").number("sqnr_db"));
  }

  private List<@Nullable Double> column(String key) {
    List<@Nullable Double> column = new ArrayList<>();
    modules.forEach(module -> column.add(module.number(key).orElse(null)));
    return column;
  }
}
