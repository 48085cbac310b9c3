package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.util.List;
import java.util.Objects;

/**
 * What the quantization of one group of modules costs.
 *
 * @param modules the names of the modules, which are quantized together or not at all: those that
 *     read one tensor, such as query, key and value, or share a weight
 * @param type the class of the first of them, or the empty string if it is unknown
 * @param bytesBefore the size of their tensors in the source
 * @param bytesAfter the size of their tensors in the artifact
 * @param alone the similarity of the outputs to those of the source if only these are quantized
 * @param others the similarity if all others are quantized and these stay native
 * @since 0.1.0
 */
@Experimental
public record GroupSensitivity(
    List<String> modules,
    String type,
    long bytesBefore,
    long bytesAfter,
    OutputSimilarity alone,
    OutputSimilarity others) {

  /**
   * Checks and copies the components.
   *
   * @throws IllegalArgumentException if there is no module
   */
  public GroupSensitivity {
    modules = List.copyOf(modules);
    if (modules.isEmpty()) {
      throw new IllegalArgumentException("modules: a group has at least one");
    }
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(alone, "alone");
    Objects.requireNonNull(others, "others");
  }

  /**
   * How much noise the group adds if it is quantized alone: {@code 10^(-SQNR/10)}, the power of the
   * difference over the power of the source's outputs. 0 if the outputs are equal; NaN if an output
   * is.
   */
  public double noise() {
    return SensitivityReport.noise(alone);
  }

  /**
   * How much less noise there is if the group stays native and all others are quantized: the
   * difference of the noise-to-signal ratios. Negative if quantizing the group makes up for errors
   * of others.
   *
   * @param all the similarity with all modules quantized
   */
  public double relief(OutputSimilarity all) {
    return SensitivityReport.noise(all) - SensitivityReport.noise(others);
  }
}
