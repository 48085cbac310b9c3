package dev.kvant.api;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The result of quantizing one module.
 *
 * @param decision the plan's decision
 * @param weights what was written for its weights
 * @param activations what was written for its activations
 * @param bytesBefore size of its tensors in the source
 * @param bytesAfter size of its tensors in the smallest artifact
 * @param note a remark, or null
 * @param distributions how the values of its operands are distributed, where that is known
 * @since 0.1.0
 */
public record ModuleReport(
    ModuleDecision decision,
    OperandOutcome weights,
    OperandOutcome activations,
    long bytesBefore,
    long bytesAfter,
    @Nullable String note,
    Map<Operand, Distribution> distributions) {

  public ModuleReport {
    Objects.requireNonNull(decision, "decision");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(activations, "activations");
    Map<Operand, Distribution> sorted = new EnumMap<>(Operand.class);
    sorted.putAll(distributions);
    distributions = Collections.unmodifiableMap(sorted);
  }

  /** The result, where it is not known how values are distributed. */
  public ModuleReport(
      ModuleDecision decision,
      OperandOutcome weights,
      OperandOutcome activations,
      long bytesBefore,
      long bytesAfter,
      @Nullable String note) {
    this(decision, weights, activations, bytesBefore, bytesAfter, note, Map.of());
  }

  /** A builder of a report that says that everything went as planned and nothing was saved. */
  public static Builder builder(ModuleDecision decision) {
    return new Builder(decision);
  }

  /** A builder that starts from this report. */
  public Builder toBuilder() {
    Builder builder =
        new Builder(decision)
            .weights(weights)
            .activations(activations)
            .bytes(bytesBefore, bytesAfter)
            .note(note);
    distributions.forEach(builder::distribution);
    return builder;
  }

  /** What was written for that operand. */
  public OperandOutcome operand(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }

  /** Whether an artifact holds anything of the module quantized. */
  public boolean isQuantized() {
    return weights.isQuantized() || activations.isQuantized();
  }

  /**
   * Collects what is to report of a module.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private final ModuleDecision decision;
    private OperandOutcome weights;
    private OperandOutcome activations;
    private long bytesBefore;
    private long bytesAfter;
    private @Nullable String note;
    private final Map<Operand, Distribution> distributions = new EnumMap<>(Operand.class);

    private Builder(ModuleDecision decision) {
      this.decision = Objects.requireNonNull(decision, "decision");
      this.weights = OperandOutcome.asPlanned(decision.weights());
      this.activations = OperandOutcome.asPlanned(decision.activations());
    }

    /** Sets what was written for its weights. */
    public Builder weights(OperandOutcome outcome) {
      this.weights = Objects.requireNonNull(outcome, "outcome");
      return this;
    }

    /** Sets what was written for its activations. */
    public Builder activations(OperandOutcome outcome) {
      this.activations = Objects.requireNonNull(outcome, "outcome");
      return this;
    }

    /** Sets the size of its tensors, in the source and in the smallest artifact. */
    public Builder bytes(long before, long after) {
      this.bytesBefore = before;
      this.bytesAfter = after;
      return this;
    }

    /** Sets what else is worth knowing, or null. */
    public Builder note(@Nullable String note) {
      this.note = note;
      return this;
    }

    /** Sets how the values of an operand are distributed. */
    public Builder distribution(Operand operand, Distribution distribution) {
      distributions.put(operand, distribution);
      return this;
    }

    /** The report. */
    public ModuleReport build() {
      return new ModuleReport(
          decision, weights, activations, bytesBefore, bytesAfter, note, distributions);
    }
  }
}
