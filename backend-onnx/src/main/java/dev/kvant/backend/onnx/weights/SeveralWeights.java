package dev.kvant.backend.onnx.weights;

import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.numerics.QuantizationError;
import java.util.List;
import java.util.Optional;

/**
 * The result of an operator that has several weights, all with the same granularity.
 *
 * @param weights the results of its weights, at least one
 * @since 0.1.0
 */
public record SeveralWeights(List<? extends WeightResult> weights) implements WeightResult {

  public SeveralWeights {
    weights = List.copyOf(weights);
    if (weights.isEmpty()) {
      throw new IllegalArgumentException("weights: at least one is required");
    }
  }

  @Override
  public Granularity granularity() {
    return weights.get(0).granularity();
  }

  @Override
  public long savedBytes() {
    return weights.stream().mapToLong(WeightResult::savedBytes).sum();
  }

  /** That of the first weight, which is the one that multiplies the input. */
  @Override
  public Optional<Distribution> distribution() {
    return weights.get(0).distribution();
  }

  @Override
  public QuantizationError error() {
    return weights.stream()
        .map(WeightResult::error)
        .reduce(QuantizationError.NONE, QuantizationError::plus);
  }
}
