package dev.kvant.spi;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Operand;
import java.util.List;

/**
 * What a backend can do in one mode. {@code native} is always possible and not listed.
 *
 * @param weights the dtypes of weights, in the order to show them
 * @param activations the dtypes of activations; empty if the mode leaves activations alone, so that
 *     settings for them are ignored with a warning
 * @param algorithms how calibration can choose ranges; empty if nothing is calibrated
 * @since 0.1.0
 */
public record ModeDescriptor(
    List<Dtype> weights, List<Dtype> activations, List<CalibrationAlgorithm> algorithms) {

  public ModeDescriptor {
    weights = List.copyOf(weights);
    activations = List.copyOf(activations);
    algorithms = List.copyOf(algorithms);
  }

  /** The dtypes of that operand. */
  public List<Dtype> dtypes(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }
}
