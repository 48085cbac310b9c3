package dev.kvant.runtime.report;

import dev.kvant.api.Granularity;
import dev.kvant.api.Internal;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.RuleReference;
import dev.kvant.api.Verification;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Plans and reports as maps and lists, with the keys that the command's JSON has. Equal values give
 * equal trees.
 *
 * @since 0.1.0
 */
@Internal
public final class ReportTree {

  static final String BACKEND = "backend";
  static final String MODE = "mode";
  static final String MODULES = "modules";
  static final String OPERATORS = "operators";
  static final String NAMES = "names";
  static final String WARNINGS = "warnings";
  static final String REQUIREMENTS = "requirements";
  static final String OF = "of";
  static final String VALUE = "value";
  static final String VERIFICATION = "verification";
  static final String STATUS = "status";
  static final String SAMPLES = "samples";
  static final String SYNTHETIC = "synthetic";
  static final String TENSORS = "tensors";
  static final String OUTPUTS = "outputs";
  static final String OUTPUT = "output";
  static final String TENSOR = "tensor";
  static final String RATIO = "sqnr";
  static final String MODULE = "module";
  static final String OPERATOR = "operator";
  static final String CLASS = "class";
  static final String CLASS_INFERRED = "class_inferred";
  static final String WEIGHTS = "weights";
  static final String ACTIVATIONS = "activations";
  static final String OUTCOME = "outcome";
  static final String BYTES_BEFORE = "bytes_before";
  static final String BYTES_AFTER = "bytes_after";
  static final String NOTE = "note";
  static final String DTYPE = "dtype";
  static final String REQUESTED = "requested";
  static final String DECIDED_BY = "decided_by";
  static final String OVERRODE = "overrode";
  static final String REASON = "reason";
  static final String NATIVE_IN = "native_in";
  static final String QUANT_AXIS = "quant_axis";
  static final String GRANULARITY = "granularity";
  static final String ALGORITHM = "algorithm";
  static final String ALGORITHM_OPTIONS = "algorithm_options";
  static final String SQNR = "sqnr_db";
  static final String LOSSLESS = "lossless";
  static final String KIND = "kind";
  static final String INDEX = "index";
  static final String PATTERN = "pattern";
  static final String MESSAGE = "message";
  static final String RULE = "rule";

  private ReportTree() {}

  /** What a plan will do to each module. */
  public static Map<String, @Nullable Object> of(QuantizationPlan plan) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(BACKEND, plan.backend());
    tree.put(MODE, plan.mode().name());
    tree.put(MODULES, plan.modules().stream().map(ReportTree::of).toList());
    tree.put(OPERATORS, plan.operators().stream().map(ReportTree::operator).toList());
    tree.put(WARNINGS, plan.warnings().stream().map(ReportTree::warning).toList());
    return tree;
  }

  /** What was done to each module. */
  public static Map<String, @Nullable Object> of(QuantizationReport report) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(BACKEND, report.backend());
    tree.put(MODE, report.mode().name());
    tree.put(MODULES, report.modules().stream().map(ReportTree::of).toList());
    tree.put(OPERATORS, report.operators().stream().map(ReportTree::of).toList());
    tree.put(WARNINGS, report.warnings().stream().map(ReportTree::warning).toList());
    tree.put(REQUIREMENTS, report.requirements().stream().map(ReportTree::requirement).toList());
    return tree;
  }

  /** What came of a verification, but for the place of the artifact; an infinite ratio is null. */
  public static Map<String, @Nullable Object> of(Verification verification) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(STATUS, verification.status().name().toLowerCase(Locale.ROOT));
    tree.put(REASON, verification.reason());
    tree.put(SAMPLES, verification.samples());
    tree.put(SYNTHETIC, verification.synthetic());
    tree.put(TENSORS, verification.tensors());
    tree.put(OUTPUTS, ratios(OUTPUT, verification.sqnrByOutput()));
    tree.put(WEIGHTS, ratios(TENSOR, verification.sqnrByTensor()));
    return tree;
  }

  private static List<Map<String, @Nullable Object>> ratios(
      String what, Map<String, Double> ratios) {
    List<Map<String, @Nullable Object>> all = new ArrayList<>();
    ratios.forEach(
        (name, ratio) -> {
          Map<String, @Nullable Object> tree = new LinkedHashMap<>();
          tree.put(what, name);
          tree.put(RATIO, finite(ratio));
          all.add(tree);
        });
    return all;
  }

  /** What a plan will do to a module. */
  private static Map<String, @Nullable Object> of(ModuleDecision decision) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(MODULE, decision.module());
    tree.put(CLASS, decision.type());
    tree.put(CLASS_INFERRED, decision.typeInferred());
    tree.put(WEIGHTS, operand(decision.weights()));
    tree.put(ACTIVATIONS, operand(decision.activations()));
    return tree;
  }

  /** What a plan will do to an operator without weights. */
  private static Map<String, @Nullable Object> operator(ModuleDecision decision) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(OPERATOR, decision.module());
    tree.put(CLASS, decision.type());
    tree.put(ACTIVATIONS, operand(decision.activations()));
    return tree;
  }

  private static Map<String, @Nullable Object> of(OperatorReport report) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(CLASS, report.type());
    tree.putAll(outcome(report.outcome()));
    tree.put(NAMES, report.operators());
    return tree;
  }

  private static Map<String, @Nullable Object> of(ModuleReport report) {
    Map<String, @Nullable Object> tree = of(report.decision());
    tree.put(WEIGHTS, with(operand(report.decision().weights()), report.weights()));
    tree.put(ACTIVATIONS, with(operand(report.decision().activations()), report.activations()));
    tree.put(BYTES_BEFORE, report.bytesBefore());
    tree.put(BYTES_AFTER, report.bytesAfter());
    Double sqnr = report.weights().sqnrDecibels();
    tree.put(SQNR, finite(sqnr));
    tree.put(LOSSLESS, isInfinite(sqnr));
    tree.put(NOTE, report.note());
    return tree;
  }

  private static Map<String, @Nullable Object> with(
      Map<String, @Nullable Object> operand, OperandOutcome outcome) {
    operand.put(OUTCOME, outcome(outcome));
    return operand;
  }

  private static Map<String, @Nullable Object> outcome(OperandOutcome outcome) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(DTYPE, outcome.dtype().name());
    tree.put(GRANULARITY, text(outcome.granularity()));
    tree.put(SQNR, finite(outcome.sqnrDecibels()));
    tree.put(LOSSLESS, isInfinite(outcome.sqnrDecibels()));
    tree.put(REASON, outcome.reason());
    return tree;
  }

  /** JSON has no infinity. */
  private static @Nullable Double finite(@Nullable Double number) {
    return number == null || !Double.isFinite(number) ? null : number;
  }

  private static boolean isInfinite(@Nullable Double number) {
    return number != null && number == Double.POSITIVE_INFINITY;
  }

  private static Map<String, @Nullable Object> operand(OperandDecision decision) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(DTYPE, decision.dtype().name());
    tree.put(REQUESTED, decision.requested().name());
    tree.put(DECIDED_BY, rule(decision.decidedBy()));
    tree.put(OVERRODE, decision.overrode().stream().map(ReportTree::rule).toList());
    tree.put(REASON, decision.reason());
    tree.put(NATIVE_IN, new TreeMap<>(decision.nativeIn()));
    Granularity granularity = decision.settings().granularity();
    tree.put(QUANT_AXIS, granularity instanceof Granularity.PerAxis along ? along.axis() : null);
    tree.put(GRANULARITY, text(granularity));
    tree.put(ALGORITHM, decision.settings().algorithm().name());
    tree.put(ALGORITHM_OPTIONS, new TreeMap<>(decision.settings().algorithmOptions()));
    return tree;
  }

  private static @Nullable String text(@Nullable Granularity granularity) {
    return granularity == null ? null : granularity.toString();
  }

  private static @Nullable Map<String, @Nullable Object> rule(@Nullable RuleReference rule) {
    if (rule == null) {
      return null;
    }
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(KIND, rule.kind().name().toLowerCase(Locale.ROOT));
    tree.put(INDEX, rule.index() < 0 ? null : Integer.valueOf(rule.index()));
    tree.put(PATTERN, rule.pattern());
    return tree;
  }

  private static Map<String, @Nullable Object> requirement(Requirement requirement) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(OF, requirement.of());
    tree.put(VALUE, requirement.value());
    tree.put(REASON, requirement.reason());
    return tree;
  }

  private static Map<String, @Nullable Object> warning(QuantizationWarning warning) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put(KIND, warning.kind().name().toLowerCase(Locale.ROOT));
    tree.put(MESSAGE, warning.message());
    tree.put(RULE, rule(warning.rule()));
    tree.put(MODULES, List.copyOf(warning.modules()));
    return tree;
  }
}
