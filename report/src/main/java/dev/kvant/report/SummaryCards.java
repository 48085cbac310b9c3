package dev.kvant.report;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The figures that matter most, at the top of a page. */
final class SummaryCards {

  /**
   * A figure.
   *
   * @param name what it is
   * @param figure the figure; null if it is not known
   * @param detail what it is compared with, or why it is not known
   * @param how how it is known
   */
  private record Card(String name, @Nullable String figure, String detail, String how) {}

  private final Tree report;

  SummaryCards(Tree report) {
    this.report = report;
  }

  /** The processor that figures were measured on; empty if it is not known. */
  static Optional<String> processor(Tree report) {
    Tree environment = report.tree("environment");
    return environment
        .text("processor")
        .or(() -> environment.text("architecture"))
        .map(
            name ->
                environment
                    .whole("processors")
                    .map(count -> "%s (%d logical processors)".formatted(name, count))
                    .orElse(name));
  }

  void write(Html html) {
    html.open("dl", "class", "cards").line();
    for (Card card : List.of(size(), speed(), accuracy(), modules())) {
      html.open("div").element("dt", card.name());
      html.element(
          "dd",
          card.figure() == null ? "not measured" : card.figure(),
          "class",
          card.figure() == null ? "big none" : "big");
      html.element("dd", card.detail());
      if (!card.how().isEmpty()) {
        html.element("dd", card.how(), "class", "how");
      }
      html.close("div").line();
    }
    html.close("dl").line();
  }

  private Card size() {
    List<Tree> artifacts = report.trees("artifacts");
    List<Tree> models =
        artifacts.stream().filter(each -> each.textOrEmpty("role").equals("model")).toList();
    if (models.isEmpty()) {
      return sizeOfTensors();
    }
    // Files beside several models may belong to any of them.
    List<Tree> parts = models.size() == 1 ? artifacts : models.subList(0, 1);
    long after = parts.stream().mapToLong(part -> part.whole("bytes").orElse(0L)).sum();
    Optional<Long> before = report.tree("model").whole("bytes");
    return new Card(
        "Size",
        Figures.bytes(after),
        before
            .filter(bytes -> bytes > 0)
            .map(
                bytes ->
                    "%s of %s"
                        .formatted(Figures.percent((double) after / bytes), Figures.bytes(bytes)))
            .orElse(""),
        models.size() == 1
            ? "Measured: files on disk."
            : "Measured: the file of the first artifact.");
  }

  private Card sizeOfTensors() {
    long before = 0;
    long after = 0;
    for (Tree module : report.trees("modules")) {
      before += module.whole("bytes_before").orElse(0L);
      after += module.whole("bytes_after").orElse(0L);
    }
    return new Card(
        "Size of tensors",
        before == 0 ? null : Figures.bytes(after),
        before == 0
            ? ""
            : "%s of %s".formatted(Figures.percent((double) after / before), Figures.bytes(before)),
        before == 0 ? "" : "Derived: the sum over all modules.");
  }

  private Card speed() {
    Tree evaluation = report.tree("evaluation");
    List<Tree> models = evaluation.trees("models");
    Optional<Double> before = models.size() < 2 ? Optional.empty() : latency(models.get(0));
    Optional<Double> after = models.size() < 2 ? Optional.empty() : latency(models.get(1));
    if (before.isEmpty() || after.isEmpty()) {
      return new Card("Speed", null, "Name data for the evaluation to compare both models.", "");
    }
    return new Card(
        "Speed",
        Figures.factor(before.get() / after.get()),
        "%s a batch, %s before"
            .formatted(Figures.millis(after.get()), Figures.millis(before.get())),
        "Measured: median over %s on %s%s. Derived: the factor."
            .formatted(
                ReportPage.count(evaluation.whole("samples").orElse(0L), "sample"),
                evaluation.textOrEmpty("device"),
                processor(report).map(", "::concat).orElse("")));
  }

  private static Optional<Double> latency(Tree model) {
    return model.number("latency_ms").filter(millis -> millis > 0);
  }

  private Card accuracy() {
    Tree evaluation = report.tree("evaluation");
    List<Tree> models = evaluation.trees("models");
    if (models.size() > 1 && models.get(1).number("cosine_mean").isPresent()) {
      Tree after = models.get(1);
      String labels =
          models.get(0).number("top1").isPresent() && after.number("top1").isPresent()
              ? "; top-1 %s, %s before"
                  .formatted(
                      Figures.percent(after.number("top1").get()),
                      Figures.percent(models.get(0).number("top1").get()))
              : "";
      return new Card(
          "Cosine similarity",
          Figures.cosine(after.number("cosine_mean").get()),
          after.number("cosine_min").map(min -> "min " + Figures.cosine(min)).orElse("") + labels,
          "Measured: outputs of both models on %s."
              .formatted(ReportPage.count(evaluation.whole("samples").orElse(0L), "sample")));
    }
    return verified()
        .orElseGet(
            () -> new Card("Accuracy", null, "Name data for the evaluation to measure it.", ""));
  }

  /** The lowest SQNR of an output that verification saw. */
  private Optional<Card> verified() {
    return report.trees("verification").stream()
        .filter(each -> !each.trees("outputs").isEmpty())
        .findFirst()
        .map(
            each ->
                new Card(
                    "SQNR of the outputs",
                    each.trees("outputs").stream()
                        .flatMap(output -> output.number("sqnr").stream())
                        .min(Double::compare)
                        .map(Figures::decibels)
                        .orElse("equal"),
                    "the lowest of all outputs",
                    "Measured: verification on %s%s."
                        .formatted(
                            ReportPage.count(each.whole("samples").orElse(0L), "sample"),
                            each.isTrue("synthetic") ? " of made-up values" : "")));
  }

  private Card modules() {
    List<Tree> modules = report.trees("modules");
    long quantized = modules.stream().filter(ModuleSection::isQuantized).count();
    Optional<Tree> worst =
        modules.stream()
            .filter(module -> module.number("sqnr_db").isPresent())
            .min(Comparator.comparing(module -> module.number("sqnr_db").get()));
    return new Card(
        "Modules quantized",
        "%d of %d".formatted(quantized, modules.size()),
        worst
            .map(
                module ->
                    "lowest SQNR %s, %s"
                        .formatted(
                            Figures.decibels(module.number("sqnr_db").get()),
                            module.textOrEmpty("module")))
            .orElse(""),
        worst.isPresent() ? "Measured: weights before and after." : "");
  }
}
