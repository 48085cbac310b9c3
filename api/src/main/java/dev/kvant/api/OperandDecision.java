package dev.kvant.api;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a plan does to one operand of one module, and why.
 *
 * @param dtype what it is quantized to; {@link Dtype#NATIVE} if it stays as it is
 * @param requested what the rules asked for
 * @param decidedBy the rule that asked, or null if none did
 * @param overrode the rules that asked for something else before, in order
 * @param reason why {@code dtype} is not what was requested, or null if it is
 * @param nativeIn for an operand that only some artifacts can hold quantized: the file name of each
 *     artifact that keeps it native, with the reason
 * @param settings how to quantize it
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

  /** The decision for an operand that no rule speaks about. */
  public static OperandDecision untouched() {
    return new OperandDecision(
        Dtype.NATIVE, Dtype.NATIVE, null, List.of(), null, Map.of(), OperandSettings.DEFAULT);
  }

  /** Whether any artifact holds the operand quantized. */
  public boolean isQuantized() {
    return !dtype.isNative();
  }

  /** The dtype in the artifact of that file name. */
  public Dtype dtypeIn(String artifact) {
    return nativeIn.containsKey(artifact) ? Dtype.NATIVE : dtype;
  }
}
