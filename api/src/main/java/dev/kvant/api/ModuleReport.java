package dev.kvant.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What quantization did to one module.
 *
 * @param decision what was planned
 * @param bytesBefore size of its tensors in the source
 * @param bytesAfter size of its tensors in the smallest artifact
 * @param sqnrDecibels ratio of the weights' power to that of their quantization error, {@code
 *     10·log10(Σw² / Σ(w-ŵ)²)}; null for a module that stayed native, infinite when nothing was
 *     lost
 * @param note what else is worth knowing, or null
 * @since 0.1.0
 */
public record ModuleReport(
    ModuleDecision decision,
    long bytesBefore,
    long bytesAfter,
    @Nullable Double sqnrDecibels,
    @Nullable String note) {

  public ModuleReport {
    Objects.requireNonNull(decision, "decision");
  }
}
