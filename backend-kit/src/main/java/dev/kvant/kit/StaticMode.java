package dev.kvant.kit;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.spi.ModeDescriptor;
import java.util.List;

/**
 * What static quantization can do where ranges come from {@link Observers}: weights and activations
 * of the same types, one scale for each activation, one or one per channel for each weight.
 *
 * @since 0.1.0
 */
public final class StaticMode {

  private StaticMode() {}

  /**
   * Its description.
   *
   * @param dtypes the types of weights and activations
   * @param weights how weights share scales; the first is the default
   * @param calibration whether it can do without data
   */
  public static ModeDescriptor of(
      List<Dtype> dtypes, List<Granularity.Kind> weights, ModeDescriptor.Calibration calibration) {
    return ModeDescriptor.builder()
        .weights(dtypes)
        .activations(dtypes)
        .weightGranularities(weights)
        .activationGranularities(List.of(Granularity.Kind.TENSOR))
        .algorithms(Observers.ALGORITHMS)
        .calibration(calibration)
        .build();
  }
}
