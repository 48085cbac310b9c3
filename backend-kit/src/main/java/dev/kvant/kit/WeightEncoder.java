package dev.kvant.kit;

import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.numerics.QuantizationError;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a backend that quantizes weights alone does to one weight.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface WeightEncoder {

  /**
   * Quantizes a weight, without reading anything yet.
   *
   * @param weight the weight
   * @param decision what is planned for its module
   */
  Encoding encode(WeightValues weight, ModuleDecision decision);

  /**
   * One weight on its way to a file.
   *
   * @since 0.1.0
   */
  interface Encoding {

    /** The tensors that a file holds in place of the weight, written once each, in this order. */
    List<OutputTensor> tensors();

    /** Which values share a scale; null where there are no scales. */
    @Nullable Granularity granularity();

    /** How far the file's values are from the weight, once the tensors were written. */
    QuantizationError error();
  }
}
