package dev.kvant.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What was written for one operand of one module. The plan says what was intended; this says what
 * the artifacts hold.
 *
 * @param dtype what it is quantized to; {@link Dtype#NATIVE} if no artifact holds it quantized
 * @param granularity which values share a scale; null where there are no scales, or it is not known
 * @param sqnrDecibels ratio of the operand's power to that of its quantization error, {@code
 *     10·log10(Σw² / Σ(w-ŵ)²)}; infinite when nothing was lost, null where it was not measured
 * @param reason why it is not as planned, or null if it is
 * @since 0.1.0
 */
public record OperandOutcome(
    Dtype dtype,
    @Nullable Granularity granularity,
    @Nullable Double sqnrDecibels,
    @Nullable String reason) {

  public OperandOutcome {
    Objects.requireNonNull(dtype, "dtype");
  }

  /** As the plan says, its error not measured. */
  public static OperandOutcome asPlanned(OperandDecision decision) {
    return new OperandOutcome(
        decision.dtype(), decision.settings().granularity(), null, decision.reason());
  }

  /**
   * Quantized.
   *
   * @param dtype to what
   * @param granularity which values share a scale, as it was written; null if there are no scales
   * @param sqnrDecibels the signal-to-noise ratio, or null where it was not measured
   */
  public static OperandOutcome quantized(
      Dtype dtype, @Nullable Granularity granularity, @Nullable Double sqnrDecibels) {
    return new OperandOutcome(dtype, granularity, sqnrDecibels, null);
  }

  /**
   * Left native.
   *
   * @param reason why, for a person
   */
  public static OperandOutcome leftNative(String reason) {
    return new OperandOutcome(Dtype.NATIVE, null, null, reason);
  }

  /** Whether an artifact holds the operand quantized. */
  public boolean isQuantized() {
    return !dtype.isNative();
  }
}
