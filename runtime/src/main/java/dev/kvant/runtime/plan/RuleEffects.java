package dev.kvant.runtime.plan;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.validation.NearestNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keeps account of what each rule brought about.
 *
 * <p>A rule has an effect when it asks for something that some module can be given, even if a later
 * rule or a skip takes it back. It has none when it matches nothing, or only modules without
 * weights, or only modules that cannot be quantized.
 */
final class RuleEffects {

  private static final int MOST_SUGGESTIONS = 3;

  /** How many modules a warning names; of more it counts the classes. */
  private static final int MOST_LABELS = 5;

  /** A module as a sentence names it. */
  private record Label(String name, String type) {

    static Label of(ModuleDescription module) {
      return new Label(module.name(), module.type());
    }

    @Override
    public String toString() {
      return type.isEmpty() ? name : name + " (" + type + ")";
    }
  }

  private final List<LayerQuantizationConfig> layers;
  private final List<ModuleDescription> modules;
  private final List<ModuleDescription> operators;
  private final Set<String> allNames;
  private final Supplier<Set<String>> tensors;
  private final Set<String> vectors;
  private final Set<Integer> effective = new LinkedHashSet<>();
  private final Map<Integer, Map<Label, String>> reasons = new LinkedHashMap<>();

  /**
   * @param operators the operators without weights
   * @param names the names that the modules and operators have
   * @param tensors the names of the model's tensors; asked only if no module has weights
   */
  RuleEffects(
      List<LayerQuantizationConfig> layers,
      List<ModuleDescription> modules,
      List<ModuleDescription> operators,
      Set<String> names,
      Supplier<Set<String>> tensors) {
    this.tensors = tensors;
    this.layers = layers;
    this.modules = modules;
    this.operators = operators;
    this.allNames = names;
    this.vectors =
        modules.stream()
            .filter(
                module -> module.tensors().stream().noneMatch(tensor -> tensor.shape().size() > 1))
            .map(ModuleDescription::name)
            .collect(Collectors.toSet());
  }

  /** The rule asked for something that a module can be given. */
  void hasEffect(int rule) {
    effective.add(rule);
  }

  /** The rule asked for something that a module cannot be given. */
  void cannotBeQuantized(int rule, ModuleDescription module, String reason) {
    reasons
        .computeIfAbsent(rule, key -> new LinkedHashMap<>())
        .putIfAbsent(Label.of(module), reason);
  }

  /** One problem for each rule without any effect, or one for all where the model is to blame. */
  List<ConfigurationProblem> withoutEffect() {
    if (isWeightless() && !layers.isEmpty()) {
      return List.of(new ConfigurationProblem("quantize.layers", whyWeightless()));
    }
    List<ConfigurationProblem> problems = new ArrayList<>();
    for (int rule = 0; rule < layers.size(); rule++) {
      if (!effective.contains(rule)) {
        problems.add(
            new ConfigurationProblem(
                "quantize.layers[" + rule + "].module_name", whyWithoutEffect(rule)));
      }
    }
    return problems;
  }

  /** The warnings about rules: those without any effect, and those with less than asked for. */
  List<QuantizationWarning> warnings(List<ModuleDecision> decisions) {
    if (isWeightless()) {
      return List.of();
    }
    List<QuantizationWarning> warnings = new ArrayList<>();
    for (int rule = 0; rule < layers.size(); rule++) {
      RuleReference reference = RuleReference.layer(rule, layers.get(rule).moduleName());
      if (!effective.contains(rule)) {
        warnings.add(
            new QuantizationWarning(
                reasons.containsKey(rule)
                    ? QuantizationWarning.Kind.NOT_QUANTIZABLE
                    : QuantizationWarning.Kind.NO_MATCH,
                reference + " has no effect: " + whyWithoutEffect(rule),
                reference,
                List.of()));
      } else {
        leftNative(reference, layers.get(rule).moduleName(), decisions).ifPresent(warnings::add);
      }
    }
    return warnings;
  }

  /**
   * What the rule had the last word on and did not get. Of what a pattern matches, modules of
   * vectors alone, such as norms, are not told of: nothing quantizes these, and the plan has the
   * reason.
   */
  private Optional<QuantizationWarning> leftNative(
      RuleReference rule, String written, List<ModuleDecision> decisions) {
    boolean isPattern = !ModuleSelector.of(written, allNames).isName();
    Map<Label, String> reasonByLabel = new LinkedHashMap<>();
    Set<String> names = new LinkedHashSet<>();
    for (ModuleDecision decision : decisions) {
      for (Operand operand : Operand.values()) {
        OperandDecision outcome = decision.operand(operand);
        String reason = outcome.reason();
        if (reason != null
            && rule.equals(outcome.decidedBy())
            && !(isPattern && vectors.contains(decision.module()))) {
          names.add(decision.module());
          reasonByLabel.putIfAbsent(new Label(decision.module(), decision.type()), reason);
        }
      }
    }
    if (names.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new QuantizationWarning(
            QuantizationWarning.Kind.NOT_QUANTIZABLE,
            "%s: %s %s native: %s"
                .formatted(
                    rule,
                    names.size() == 1 ? "1 module" : names.size() + " modules",
                    names.size() == 1 ? "stays" : "stay",
                    byReason(reasonByLabel)),
            rule,
            List.copyOf(names)));
  }

  private String whyWithoutEffect(int rule) {
    String written = layers.get(rule).moduleName();
    Map<Label, String> unsupported = reasons.get(rule);
    if (unsupported != null) {
      return "'%s' matches only modules that cannot be quantized: %s"
          .formatted(written, byReason(unsupported));
    }
    ModuleSelector selector = ModuleSelector.of(written, allNames);
    List<ModuleDescription> matched =
        Stream.concat(modules.stream(), operators.stream()).filter(selector::selects).toList();
    if (matched.stream().anyMatch(ModuleDescription::hasWeights)) {
      return "'%s' matches modules, but no rule gives them a dtype that they can have"
          .formatted(written);
    }
    if (!matched.isEmpty()) {
      return "'%s' matches only modules without weights of their own: %s%s"
          .formatted(
              written,
              Words.few(matched.stream().map(RuleEffects::label).toList()),
              inside(matched));
    }
    return "'%s' matches no module%s%s"
        .formatted(written, aboutBrackets(written), suggestions(written));
  }

  /** A name's first bracket makes a set of characters of what follows, unless it is escaped. */
  private static String aboutBrackets(String written) {
    return written.replace("[[]", "").contains("[")
        ? "; in a pattern '[' begins a set of characters, write '[[]' for the bracket itself"
        : "";
  }

  /** Whether no module of the model has weights, whatever rules say. */
  boolean isWeightless() {
    return modules.stream().noneMatch(ModuleDescription::hasWeights);
  }

  /** Why nothing can be quantized, with what there is instead of weights. */
  String whyWeightless() {
    List<String> labels =
        modules.stream()
            .filter(module -> !module.name().isEmpty())
            .map(RuleEffects::label)
            .toList();
    String none = "the model has no module with weights that could be quantized";
    return none + (labels.isEmpty() ? nameless() : ", only " + Words.few(labels));
  }

  /** What a model without named modules has, and what to do. */
  private String nameless() {
    List<String> known = List.copyOf(tensors.get());
    if (known.isEmpty()) {
      return "";
    }
    String found =
        "; %s %s to no module with a name"
            .formatted(Words.fewQuoted(known), known.size() == 1 ? "belongs" : "belong");
    return known.contains("weight")
        ? found + "; put the model into another module and save that"
        : found;
  }

  /** What to write when a container was named and its content was meant. */
  private String inside(List<ModuleDescription> containers) {
    return containers.stream()
        .map(container -> container.name() + ".")
        .filter(prefix -> names().stream().anyMatch(name -> name.startsWith(prefix)))
        .findFirst()
        .map(prefix -> "; to take what is inside, write '" + prefix + "*'")
        .orElse("");
  }

  private Set<String> names() {
    return modules.stream()
        .filter(ModuleDescription::hasWeights)
        .flatMap(module -> module.names().stream())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private Set<String> classes() {
    return modules.stream()
        .filter(ModuleDescription::hasWeights)
        .flatMap(module -> module.types().stream())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The closest names and classes, or else the classes that there are. */
  private String suggestions(String written) {
    String closest =
        suggestion("the closest names are", written, names())
            + suggestion("the closest classes are", written, classes());
    return closest.isEmpty() && !classes().isEmpty()
        ? "; the model's classes are " + String.join(", ", classes())
        : closest;
  }

  private static String suggestion(String lead, String written, Set<String> known) {
    List<String> nearest = NearestNames.of(written, known, MOST_SUGGESTIONS);
    return nearest.isEmpty() ? "" : "; " + lead + " " + Words.quoted(nearest);
  }

  private static String byReason(Map<Label, String> reasonByLabel) {
    Map<String, List<Label>> labelsByReason = new LinkedHashMap<>();
    reasonByLabel.forEach(
        (label, reason) ->
            labelsByReason.computeIfAbsent(reason, key -> new ArrayList<>()).add(label));
    return labelsByReason.entrySet().stream()
        .map(entry -> few(entry.getValue()) + ": " + entry.getKey())
        .collect(Collectors.joining("; "));
  }

  /** All if they are few, or else how many there are of each class, and two as an example. */
  private static String few(List<Label> labels) {
    if (labels.size() <= MOST_LABELS) {
      return Words.few(labels.stream().map(Label::toString).toList());
    }
    Map<String, Long> counts =
        labels.stream()
            .collect(Collectors.groupingBy(Label::type, LinkedHashMap::new, Collectors.counting()));
    return "%s, such as %s and %s"
        .formatted(
            Words.few(
                counts.entrySet().stream()
                    .map(
                        entry ->
                            entry.getValue()
                                + " "
                                + (entry.getKey().isEmpty() ? "modules" : entry.getKey()))
                    .toList()),
            labels.get(0).name(),
            labels.get(1).name());
  }

  private static String label(ModuleDescription module) {
    return Label.of(module).toString();
  }
}
