package dev.kvant.validation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

@Label("The nearest names")
class NearestNamesTest {

  @Test
  void come_by_the_number_of_letters_that_differ() {
    assertThat(NearestNames.of("wieghts", List.of("weight", "weights", "module_name"), 2))
        .containsExactly("weights", "weight");
  }

  @Test
  void leave_out_what_has_little_in_common() {
    assertThat(NearestNames.of("abc", List.of("xyz"), 3)).isEmpty();
  }

  @Test
  void are_first_those_that_begin_with_what_was_written() {
    assertThat(NearestNames.of("batch", List.of("path", "max_batches", "batch_size"), 1))
        .containsExactly("batch_size");
  }

  @Test
  void do_not_mind_case() {
    assertThat(NearestNames.of("linear", List.of("Linear"), 1)).containsExactly("Linear");
  }

  @Test
  void of_a_pattern_are_those_that_it_nearly_matches() {
    assertThat(
            NearestNames.of(
                "encoder.*.linaer?", List.of("encoder.layers.0.linear1", "decoder.fc"), 1))
        .containsExactly("encoder.layers.0.linear1");
  }

  @Property
  void are_none_away_from_themselves(@ForAll @AlphaChars @StringLength(max = 30) String name) {
    assertThat(NearestNames.distance(name, name)).isZero();
  }

  @Property
  void are_as_far_one_way_as_the_other(
      @ForAll @AlphaChars @StringLength(max = 12) String one,
      @ForAll @AlphaChars @StringLength(max = 12) String other) {
    assertThat(NearestNames.distance(one, other)).isEqualTo(NearestNames.distance(other, one));
  }

  @Property
  void are_never_farther_by_way_of_a_third(
      @ForAll @AlphaChars @StringLength(max = 8) String one,
      @ForAll @AlphaChars @StringLength(max = 8) String other,
      @ForAll @AlphaChars @StringLength(max = 8) String third) {
    assertThat(NearestNames.distance(one, other))
        .isLessThanOrEqualTo(
            NearestNames.distance(one, third) + NearestNames.distance(third, other));
  }

  @Property
  void of_a_star_are_all(@ForAll @AlphaChars @StringLength(max = 12) String name) {
    assertThat(NearestNames.distance("*", name)).isZero();
  }
}
