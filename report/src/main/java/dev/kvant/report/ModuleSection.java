package dev.kvant.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The table of modules, which sorts and filters. */
final class ModuleSection {

  private static final String CAPTION =
      "In the order of the model. Counted: the bytes of each module's tensors, in the source and in"
          + " the smallest artifact. Measured: the SQNR, of the weights before and after.";

  private final List<Tree> modules;

  ModuleSection(Tree report) {
    this.modules = report.trees("modules");
  }

  /** Whether an artifact holds anything of the module quantized. */
  static boolean isQuantized(Tree module) {
    return isQuantized(module, "weights") || isQuantized(module, "activations");
  }

  private static boolean isQuantized(Tree module, String operand) {
    return !dtype(module, operand).equals("native");
  }

  private static String dtype(Tree module, String operand) {
    return module.tree(operand).tree("outcome").text("dtype").orElse("native");
  }

  void write(Html html) {
    html.element("h2", "Modules");
    if (modules.isEmpty()) {
      html.element("p", "The model has no modules with weights.", "class", "empty").line();
      return;
    }
    controls(html);
    html.open("div", "class", "scroll")
        .open("table", "id", "modules")
        .element("caption", CAPTION)
        .line()
        .open("thead")
        .open("tr");
    header(html, "#", "ascending", "n wide-only");
    header(html, "Module", "none", null);
    header(html, "Class", "none", "wide-only");
    header(html, "Weights", "none", null);
    header(html, "Activations", "none", "wide-only");
    header(html, "Before", "none", "n wide-only");
    header(html, "After", "none", "n");
    header(html, "SQNR", "none", "n");
    html.close("tr").close("thead").line().open("tbody").line();
    for (int i = 0; i < modules.size(); i++) {
      row(html, i + 1, modules.get(i));
    }
    html.close("tbody").close("table").close("div").line();
  }

  private static void controls(Html html) {
    html.open("div", "class", "controls", "id", "controls", "hidden", "")
        .element("label", "Filter", "for", "filter")
        .open("input", "id", "filter", "type", "search", "autocomplete", "off")
        .element("label", "Show", "for", "state")
        .open("select", "id", "state")
        .element("option", "all", "value", "")
        .element("option", "quantized", "value", "quantized")
        .element("option", "native", "value", "native")
        .close("select")
        .element("p", "", "id", "count", "role", "status")
        .close("div")
        .line();
  }

  private static void header(Html html, String name, String sorted, @Nullable String style) {
    html.open("th", "scope", "col", "aria-sort", sorted, "class", style)
        .element("button", name, "type", "button", "disabled", "")
        .close("th");
  }

  private static void row(Html html, int index, Tree module) {
    boolean quantized = isQuantized(module);
    Set<String> remarks = remarks(module);
    String state = quantized ? "quantized" : "native";
    html.open(
        "tr",
        "data-state",
        state,
        "class",
        quantized ? null : remarks.isEmpty() ? "native" : "native reason");
    html.element(
        "td", String.valueOf(index), "class", "n wide-only", "data-v", String.valueOf(index));
    html.open("th", "scope", "row", "class", "name").text(module.textOrEmpty("module"));
    remarks.forEach(remark -> html.element("span", remark, "class", "more"));
    html.close("th");
    html.element(
        "td",
        (module.isTrue("class_inferred") && !module.textOrEmpty("class").isEmpty() ? "~" : "")
            + module.textOrEmpty("class"),
        "class",
        "wide-only");
    operand(html, module, "weights", module.textOrEmpty("stored_dtype"), null);
    operand(html, module, "activations", "", "wide-only");
    bytes(html, module.whole("bytes_before"), "n wide-only");
    bytes(html, module.whole("bytes_after"), "n");
    sqnr(html, module);
    html.close("tr").line();
  }

  private static void operand(
      Html html, Tree module, String operand, String from, @Nullable String style) {
    html.open("td", "class", style);
    if (isQuantized(module, operand)) {
      html.text((from.isEmpty() ? "" : from + " → ") + dtype(module, operand));
      module
          .tree(operand)
          .tree("outcome")
          .text("granularity")
          .ifPresent(granularity -> html.element("span", granularity, "class", "more beside"));
    } else {
      html.text(from);
    }
    html.close("td");
  }

  private static void bytes(Html html, Optional<Long> bytes, String style) {
    html.element(
        "td",
        bytes.map(Figures::bytes).orElse(""),
        "class",
        style,
        "data-v",
        bytes.map(String::valueOf).orElse(""));
  }

  private static void sqnr(Html html, Tree module) {
    boolean lossless = module.isTrue("lossless");
    Optional<Double> sqnr = module.number("sqnr_db");
    html.element(
        "td",
        lossless ? "lossless" : sqnr.map(Figures::decibels).orElse(""),
        "class",
        "n",
        "data-v",
        lossless ? "Infinity" : sqnr.map(String::valueOf).orElse(""));
  }

  /** Why an operand is not as planned, where an artifact differs, and what else there is to say. */
  private static Set<String> remarks(Tree module) {
    List<String> all = new ArrayList<>();
    for (String operand : List.of("weights", "activations")) {
      Tree decision = module.tree(operand);
      decision.tree("outcome").text("reason").ifPresent(all::add);
      if (isQuantized(module, operand)) {
        decision
            .tree("native_in")
            .fields()
            .forEach((artifact, reason) -> all.add("native in " + artifact + ": " + reason));
      }
    }
    module
        .text("note")
        .filter(note -> all.stream().noneMatch(known -> known.endsWith(note)))
        .ifPresent(all::add);
    return new LinkedHashSet<>(all);
  }
}
