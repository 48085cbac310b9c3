package dev.kvant.runtime.verification;

import dev.kvant.api.Tensor;
import dev.kvant.runtime.data.PaddedPositions;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/**
 * Compares the outputs of an artifact with those of its source.
 *
 * @param sqnrByOutput the ratio of signal to quantization noise of each output that could be
 *     compared, in decibels
 * @param fault what is wrong with the artifact's outputs; empty if nothing is
 */
record OutputComparison(Map<String, Double> sqnrByOutput, Optional<String> fault) {

  /**
   * Compares.
   *
   * <p>How many boxes a detector finds depends on values, and so may change by quantization. Of
   * such an output only type and rank are compared when the shapes differ.
   *
   * @param padding the positions whose outputs are not compared
   * @param minSqnr what every output must reach, in decibels
   * @param dependingOnValues the outputs whose shapes depend on values; asked only if shapes differ
   */
  static OutputComparison of(
      Map<String, Tensor> source,
      Map<String, Tensor> artifact,
      PaddedPositions padding,
      double minSqnr,
      Supplier<Set<String>> dependingOnValues) {
    Map<String, Double> ratios = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> output : source.entrySet()) {
      Tensor expected = output.getValue();
      Tensor actual = artifact.get(output.getKey());
      if (actual == null) {
        return wrong(
            ratios, "it has no output '%s', only %s".formatted(output.getKey(), artifact.keySet()));
      }
      if (!actual.elementType().equals(expected.elementType())) {
        return wrong(
            ratios,
            "output '%s' is %s, and %s in the source"
                .formatted(output.getKey(), actual.elementType(), expected.elementType()));
      }
      boolean sameShape = actual.shape().equals(expected.shape());
      if (!sameShape
          && (actual.shape().size() != expected.shape().size()
              || !dependingOnValues.get().contains(output.getKey()))) {
        return wrong(
            ratios,
            "output '%s' has the shape %s, and %s in the source"
                .formatted(output.getKey(), actual.shape(), expected.shape()));
      }
      if (!sameShape || !hasFloats(expected)) {
        continue;
      }
      Sums sums = Sums.of(expected.toFloats(), actual.toFloats(), padding.counted(expected));
      if (sums.notFinite() > 0) {
        return wrong(
            ratios,
            "output '%s' has %d values that are not finite, where the source's are"
                .formatted(output.getKey(), sums.notFinite()));
      }
      if (sums.signal() == 0) {
        continue;
      }
      ratios.put(output.getKey(), sums.decibels());
      if (sums.decibels() < minSqnr) {
        return wrong(
            ratios,
            String.format(
                Locale.ROOT,
                "output '%s' has an SQNR of %.1f dB, below the minimum of %.1f dB",
                output.getKey(),
                sums.decibels(),
                minSqnr));
      }
    }
    return new OutputComparison(ratios, Optional.empty());
  }

  /** Whether there are values to compare; of float8 there is only the type. */
  private static boolean hasFloats(Tensor tensor) {
    return tensor.elementType().isFloatingPoint() && tensor.elementType().bits() > 8;
  }

  /** Whether there is a finite value other than 0, or any output that is no floating-point one. */
  static boolean saysAnything(Map<String, Tensor> outputs) {
    return outputs.values().stream().anyMatch(OutputComparison::saysAnything);
  }

  private static boolean saysAnything(Tensor output) {
    if (!hasFloats(output)) {
      return output.elements() > 0;
    }
    for (float value : output.toFloats()) {
      if (Float.isFinite(value) && value != 0) {
        return true;
      }
    }
    return false;
  }

  /** Outputs that have no fault and no ratio. */
  static final OutputComparison NOTHING = new OutputComparison(Map.of(), Optional.empty());

  /** An artifact without outputs, for that reason. */
  static OutputComparison failed(String fault) {
    return wrong(Map.of(), fault);
  }

  /** The same, with the circumstances in the fault. */
  OutputComparison in(String circumstances) {
    return new OutputComparison(
        sqnrByOutput, fault.map(found -> "%s, %s".formatted(circumstances, found)));
  }

  private static OutputComparison wrong(Map<String, Double> ratios, String fault) {
    return new OutputComparison(ratios, Optional.of(fault));
  }

  /** The sums that a ratio is made of, over counted values that are finite in the source. */
  private record Sums(double signal, double noise, int notFinite) {

    static Sums of(float[] expected, float[] actual, IntPredicate counted) {
      double signal = 0;
      double noise = 0;
      int notFinite = 0;
      for (int i = 0; i < expected.length; i++) {
        if (!Float.isFinite(expected[i]) || !counted.test(i)) {
          continue;
        }
        if (!Float.isFinite(actual[i])) {
          notFinite++;
          continue;
        }
        double difference = (double) expected[i] - actual[i];
        signal += (double) expected[i] * expected[i];
        noise += difference * difference;
      }
      return new Sums(signal, noise, notFinite);
    }

    double decibels() {
      return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    }
  }
}
