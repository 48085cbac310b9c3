package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A processor")
class ProcessorTest {

  @ParameterizedTest
  @ValueSource(strings = {"avx512_vnni", "avx_vnni"})
  void with_vnni_adds_products_exactly(String flag) {
    Processor processor =
        Processor.of("amd64", List.of("processor\t: 0", "flags\t\t: fpu avx2 " + flag + " fsrm"));

    assertThat(processor.isX86()).isTrue();
    assertThat(processor.addsProductsIn16Bits()).isFalse();
  }

  @Test
  void without_vnni_adds_products_in_16_bits() {
    Processor processor = Processor.of("x86_64", List.of("flags\t\t: fpu avx2 avx512f"));

    assertThat(processor.addsProductsIn16Bits()).isTrue();
  }

  @Test
  void of_another_architecture_adds_products_exactly() {
    Processor processor = Processor.of("aarch64", List.of("flags\t: fp asimd"));

    assertThat(processor.isX86()).isFalse();
    assertThat(processor.addsProductsIn16Bits()).isFalse();
  }

  @Test
  void has_the_name_that_the_operating_system_says() {
    assertThat(
            Processor.of("amd64", List.of("vendor_id\t: X", "model name\t: Fast CPU @ 2 GHz"))
                .model())
        .contains("Fast CPU @ 2 GHz");
    assertThat(Processor.of("aarch64", List.of("flags\t: fp asimd")).model()).isEmpty();
  }

  @Test
  void of_unknown_instructions_is_not_suspected() {
    assertThat(new Processor("amd64", Optional.empty(), Optional.empty()).addsProductsIn16Bits())
        .isFalse();
  }
}
