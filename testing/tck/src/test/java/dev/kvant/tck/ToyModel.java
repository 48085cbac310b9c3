package dev.kvant.tck;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model in lines of text: {@code module NAME TYPE ELEMENT-TYPE VALUES...}, perhaps preceded by
 * those of a plan, and closed by {@code end}.
 */
final class ToyModel implements QuantizableModel {

  private final Path source;
  private final List<String[]> modules;
  private final @Nullable QuantizationPlan plan;
  private final FormatDefect defect;
  private boolean closed;

  ToyModel(Path source, List<String> lines, FormatDefect defect) {
    this.source = source;
    this.defect = defect;
    if (!has(FormatDefect.OVERLOOKS_THE_END) && !lines.get(lines.size() - 1).equals("end")) {
      throw new ModelFormatException("%s was cut short".formatted(source));
    }
    this.modules =
        lines.stream()
            .filter(line -> line.startsWith("module "))
            .map(line -> line.split(" ", -1))
            .toList();
    this.plan = readPlan(lines);
  }

  private boolean has(FormatDefect some) {
    return defect == some;
  }

  @Override
  public Path source() {
    return source;
  }

  @Override
  public String format() {
    return has(FormatDefect.UNKNOWN_ID) ? "doll" : ToyFormat.ID;
  }

  @Override
  public List<ModuleDescription> modules() {
    open();
    List<ModuleDescription> described =
        new ArrayList<>(
            modules.stream()
                .map(
                    line ->
                        new ModuleDescription(
                            List.of(line[1]), List.of(line[2]), false, tensors(line)))
                .toList());
    if (has(FormatDefect.CHILDREN_FIRST)) {
      Collections.reverse(described);
    }
    return described;
  }

  private List<TensorDescription> tensors(String[] line) {
    TensorDescription weight = weight(line);
    return has(FormatDefect.DOUBLE_TENSOR) ? List.of(weight, weight) : List.of(weight);
  }

  private TensorDescription weight(String[] line) {
    return new TensorDescription(
        "weight",
        ElementType.valueOf(line[3]),
        List.of(line.length - 4L),
        has(FormatDefect.RANDOM_STORAGE) ? UUID.randomUUID().toString() : line[1]);
  }

  @Override
  public long tensorBytes() {
    return has(FormatDefect.COUNTS_NOTHING)
        ? 0
        : modules.stream().mapToLong(line -> weight(line).bytes()).sum();
  }

  @Override
  public Optional<QuantizationPlan> plan() {
    return Optional.ofNullable(plan);
  }

  @Override
  public void close() {
    if (closed && has(FormatDefect.CLOSES_ONCE)) {
      throw new IllegalStateException("closed already");
    }
    closed = true;
  }

  /**
   * This model.
   *
   * @throws IllegalStateException if it is closed
   */
  ToyModel open() {
    if (closed) {
      throw new IllegalStateException("this model is closed");
    }
    return this;
  }

  /** Name, type, element type and values of each module. */
  List<String[]> lines() {
    return modules;
  }

  /** The plan in lines of text; as much of it as the contracts use. */
  static List<String> write(QuantizationPlan plan) {
    List<String> lines = new ArrayList<>();
    lines.add("plan %s %s".formatted(plan.backend(), plan.mode()));
    for (ModuleDecision module : plan.modules()) {
      lines.add(
          "decision %s %s %s %s"
              .formatted(
                  module.module(),
                  module.type(),
                  write(module.weights()),
                  write(module.activations())));
    }
    plan.warnings().forEach(warning -> lines.add("warning " + warning.message()));
    return lines;
  }

  private static String write(OperandDecision operand) {
    return operand.isQuantized()
        ? operand.dtype() + "," + operand.settings().algorithm() + "," + nativeIn(operand)
        : "-";
  }

  private static String nativeIn(OperandDecision operand) {
    return operand.nativeIn().entrySet().stream()
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(";"));
  }

  private static @Nullable QuantizationPlan readPlan(List<String> lines) {
    String head = null;
    List<ModuleDecision> decisions = new ArrayList<>();
    List<QuantizationWarning> warnings = new ArrayList<>();
    for (String line : lines) {
      String[] words = line.split(" ", -1);
      switch (words[0]) {
        case "plan" -> head = line;
        case "decision" ->
            decisions.add(
                new ModuleDecision(
                    words[1], words[2], false, readOperand(words[3]), readOperand(words[4])));
        case "warning" ->
            warnings.add(
                new QuantizationWarning(
                    QuantizationWarning.Kind.OTHER,
                    line.substring("warning ".length()),
                    null,
                    List.of()));
        default -> {}
      }
    }
    if (head == null) {
      return null;
    }
    String[] words = head.split(" ", -1);
    return new QuantizationPlan(
        words[1], QuantizationMode.find(words[2]).orElseThrow(), decisions, warnings);
  }

  private static OperandDecision readOperand(String text) {
    if (text.equals("-")) {
      return OperandDecision.untouched();
    }
    String[] parts = text.split(",", -1);
    Dtype dtype = Dtype.of(parts[0]);
    Map<String, String> nativeIn = Map.of();
    if (!parts[2].isEmpty()) {
      String[] entry = parts[2].split("=", -1);
      nativeIn = Map.of(entry[0], entry[1]);
    }
    return new OperandDecision(
        dtype,
        dtype,
        RuleReference.defaults(),
        List.of(),
        null,
        nativeIn,
        new OperandSettings(null, CalibrationAlgorithm.of(parts[1]), Map.of()));
  }
}
