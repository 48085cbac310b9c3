package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Integer arithmetic is objected to where it is wrong or not there. */
class ProcessorTest {

  @ParameterizedTest
  @ValueSource(strings = {"avx512_vnni", "avx_vnni"})
  void nothing_speaks_against_vnni(String flag) {
    Processor processor =
        Processor.of("amd64", List.of("processor\t: 0", "flags\t\t: fpu avx2 " + flag + " fsrm"));

    assertThat(processor.isX86()).isTrue();
    assertThat(processor.objection()).isEmpty();
  }

  @Test
  void without_vnni_accuracy_is_to_be_looked_at() {
    Processor processor = Processor.of("x86_64", List.of("flags\t\t: fpu avx2 avx512f"));

    assertThat(processor.objection().orElseThrow()).contains("no VNNI", "can overflow");
  }

  @Test
  void another_architecture_cannot_run_it() {
    Processor processor = Processor.of("aarch64", List.of("Features\t: fp asimd"));

    assertThat(processor.isX86()).isFalse();
    assertThat(processor.objection().orElseThrow()).contains("cannot run on this one (aarch64)");
  }

  @Test
  void nothing_is_said_where_nothing_is_known() {
    assertThat(new Processor("amd64", Optional.empty()).objection()).isEmpty();
  }
}
