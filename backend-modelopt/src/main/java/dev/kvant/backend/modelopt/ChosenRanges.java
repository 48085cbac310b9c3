package dev.kvant.backend.modelopt;

import dev.kvant.api.Distribution;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizationWarning;
import java.util.List;
import java.util.Map;

/**
 * The ranges of all operands that a plan quantizes.
 *
 * @param modules the modules that are quantized
 * @param notes what is worth knowing about modules, by name
 * @param warnings what went otherwise than planned
 * @param distributions how the values of operands are distributed, by module
 */
record ChosenRanges(
    List<ModuleQuantization> modules,
    Map<String, String> notes,
    List<QuantizationWarning> warnings,
    Map<String, Map<Operand, Distribution>> distributions) {

  ChosenRanges {
    modules = List.copyOf(modules);
    notes = Map.copyOf(notes);
    warnings = List.copyOf(warnings);
    distributions = Map.copyOf(distributions);
  }
}
