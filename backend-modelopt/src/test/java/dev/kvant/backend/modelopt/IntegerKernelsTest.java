package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.spi.Processor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Integer arithmetic is objected to where it is wrong or not there. */
class IntegerKernelsTest {

  private static Optional<String> objection(String architecture, String line) {
    return IntegerKernels.objection(Processor.of(architecture, List.of(line)), false);
  }

  @Test
  void nothing_speaks_against_vnni() {
    assertThat(objection("amd64", "flags\t\t: fpu avx2 avx512_vnni fsrm")).isEmpty();
  }

  @Test
  void without_vnni_accuracy_is_to_be_looked_at() {
    assertThat(objection("x86_64", "flags\t\t: fpu avx2 avx512f").orElseThrow())
        .contains("no VNNI", "can overflow");
  }

  @Test
  void without_vnni_nothing_speaks_against_pairs_that_do_not_overflow() {
    Processor processor = Processor.of("x86_64", List.of("flags\t\t: fpu avx2 avx512f"));

    assertThat(IntegerKernels.objection(processor, true)).isEmpty();
  }

  @Test
  void another_architecture_cannot_run_it() {
    assertThat(objection("aarch64", "Features\t: fp asimd").orElseThrow())
        .contains("cannot run on this one (aarch64)");
  }

  @Test
  void nothing_is_said_where_nothing_is_known() {
    assertThat(objection("amd64", "processor\t: 0")).isEmpty();
  }
}
