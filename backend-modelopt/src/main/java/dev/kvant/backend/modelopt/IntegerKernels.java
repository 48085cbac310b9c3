package dev.kvant.backend.modelopt;

import dev.kvant.api.Requirement;
import dev.kvant.spi.Processor;
import java.util.List;
import java.util.Optional;

/** Whether archives that multiply integers run well on a processor. */
final class IntegerKernels {

  private IntegerKernels() {}

  /**
   * What such archives require of a CPU.
   *
   * @param fitsPairs whether no pair of products overflows without VNNI
   */
  static List<Requirement> requirements(boolean fitsPairs) {
    return List.of(
        new Requirement("CPU", "x86-64", "the weights of int8 kernels are packed for it"),
        fitsPairs
            ? new Requirement(
                "VNNI",
                "not needed",
                "reduce_range: auto keeps sums of two products within 16 bits")
            : new Requirement(
                "VNNI",
                "needed",
                "without it libtorch adds two products in 16 bits, which can overflow"));
  }

  /**
   * What speaks against running such an archive on it.
   *
   * @param fitsPairs whether no pair of products overflows without VNNI
   */
  static Optional<String> objection(Processor processor, boolean fitsPairs) {
    if (!processor.isX86()) {
      return Optional.of(
          "it multiplies integers as x86-64 processors do, and cannot run on this one (%s)"
              .formatted(processor.architecture()));
    }
    return processor.addsProductsIn16Bits() && !fitsPairs
        ? Optional.of(
            "it multiplies integers, and this processor has no VNNI: libtorch adds pairs of"
                + " products in 16 bits, which can overflow, so look at its accuracy here")
        : Optional.empty();
  }
}
