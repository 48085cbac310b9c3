package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kvant.api.QuantizationMode;
import org.junit.jupiter.api.Test;

class BackendDescriptorTest {

  private static BackendDescriptor.Builder of(QuantizationMode... modes) {
    BackendDescriptor.Builder builder = BackendDescriptor.builder("mine");
    for (QuantizationMode mode : modes) {
      builder.mode(mode, ModeDescriptor.builder().build());
    }
    return builder;
  }

  @Test
  void the_only_mode_is_the_default() {
    assertThat(of(QuantizationMode.STATIC_PTQ).build().defaultMode())
        .isEqualTo(QuantizationMode.STATIC_PTQ);
  }

  @Test
  void of_several_modes_none_is_the_default_unless_it_is_chosen() {
    BackendDescriptor.Builder two = of(QuantizationMode.STATIC_PTQ, QuantizationMode.DYNAMIC_PTQ);

    assertThat(two.build().defaultMode()).isNull();
    assertThat(two.defaultMode(QuantizationMode.DYNAMIC_PTQ).build().defaultMode())
        .isEqualTo(QuantizationMode.DYNAMIC_PTQ);
  }

  @Test
  void the_default_is_one_of_the_modes() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> of(QuantizationMode.STATIC_PTQ).defaultMode(QuantizationMode.DYNAMIC_PTQ).build())
        .withMessage("defaultMode: 'dynamic_ptq' is not among the modes [static_ptq]");
  }
}
