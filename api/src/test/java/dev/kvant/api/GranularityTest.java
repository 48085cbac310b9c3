package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A granularity")
class GranularityTest {

  @ParameterizedTest
  @ValueSource(strings = {"tensor", "channel", "axis:1", "axis:-2", "group:32", "block:128x64"})
  void is_written_as_it_is_read(String text) {
    assertThat(Granularity.of(text)).hasToString(text);
  }

  @Test
  void is_read_in_any_case() {
    assertThat(Granularity.of(" Tensor ")).isEqualTo(Granularity.TENSOR);
    assertThat(Granularity.of("CHANNEL")).isEqualTo(Granularity.CHANNEL);
    assertThat(Granularity.of("Axis:+1")).isEqualTo(Granularity.axis(1));
    assertThat(Granularity.of("Group:8")).isEqualTo(Granularity.group(8));
    assertThat(Granularity.of("BLOCK:4X2")).isEqualTo(Granularity.block(4, 2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "rows", "axis", "axis:x", "group:-1", "block:4", "tensor:1"})
  void of_another_form_is_refused_with_the_forms(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Granularity.of(text))
        .withMessage(
            "'%s' is not a granularity; use one of tensor, channel, axis:N, group:N, block:NxM"
                .formatted(text));
  }

  @Test
  void has_groups_and_blocks_of_at_least_one_value() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Granularity.of("group:0"))
        .withMessage("a group has at least 1 value, not 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Granularity.of("block:0x8"))
        .withMessage("a block has at least 1 row and 1 column, not 0 and 8");
  }

  @Test
  void has_no_number_that_overflows() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Granularity.of("group:99999999999"))
        .withMessage("'group:99999999999' has a number that is too large");
  }
}
