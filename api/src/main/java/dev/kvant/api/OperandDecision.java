package dev.kvant.api;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The decision of a plan for one operand of one module, with its reason.
 *
 * @param dtype the dtype after quantization; {@link Dtype#NATIVE} if it stays unchanged
 * @param requested the dtype that the rules requested
 * @param decidedBy the rule that decided, or null if there was none
 * @param overrode the earlier rules that it overrode, in order
 * @param reason why {@code dtype} is not what was requested, or null if it is
 * @param nativeIn for an operand that is not quantized in all artifacts: the file name of each
 *     artifact that keeps it native, with the reason
 * @param settings the settings of quantization
 * @since 0.1.0
 */
public record OperandDecision(
    Dtype dtype,
    Dtype requested,
    @Nullable RuleReference decidedBy,
    List<RuleReference> overrode,
    @Nullable String reason,
    Map<String, String> nativeIn,
    OperandSettings settings) {

  public OperandDecision {
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(requested, "requested");
    overrode = List.copyOf(overrode);
    nativeIn = Map.copyOf(nativeIn);
    Objects.requireNonNull(settings, "settings");
  }

  /** The decision for an operand without a rule. */
  public static OperandDecision untouched() {
    return new OperandDecision(
        Dtype.NATIVE, Dtype.NATIVE, null, List.of(), null, Map.of(), OperandSettings.DEFAULT);
  }

  /** Whether the operand is quantized in at least one artifact. */
  public boolean isQuantized() {
    return !dtype.isNative();
  }

  /** The dtype in the artifact of that file name. */
  public Dtype dtypeIn(String artifact) {
    return nativeIn.containsKey(artifact) ? Dtype.NATIVE : dtype;
  }
}
