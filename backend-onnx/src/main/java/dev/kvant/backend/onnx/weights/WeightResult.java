package dev.kvant.backend.onnx.weights;

import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.numerics.QuantizationError;
import java.util.Optional;

/**
 * What became of a weight, for the report.
 *
 * @since 0.1.0
 */
public interface WeightResult {

  /** Which values share a scale. */
  Granularity granularity();

  /** How many bytes less codes and scales take than the weight did. */
  long savedBytes();

  /** How far the dequantized weight is from the weight, known once all of it was written. */
  QuantizationError error();

  /** How the weight is distributed, and the widest range that codes hold; empty for zeros. */
  Optional<Distribution> distribution();
}
