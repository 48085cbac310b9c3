package dev.kvant.backend.modelopt;

import dev.kvant.api.ModuleDescription;
import java.util.Objects;
import java.util.Optional;

/**
 * How one module is quantized.
 *
 * @param module the module
 * @param weights how its weight is; empty if it stays as it is
 * @param input how its input is; empty if it stays as it is
 */
record ModuleQuantization(
    ModuleDescription module,
    Optional<OperandQuantization> weights,
    Optional<OperandQuantization> input) {

  ModuleQuantization {
    Objects.requireNonNull(module, "module");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(input, "input");
  }
}
