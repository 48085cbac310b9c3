package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kvant.api.Requirement;
import org.junit.jupiter.api.Test;

class RequirementsTest {

  @Test
  void the_highest_of_the_lowest_versions_is_kept_with_its_reason() {
    var requirements =
        new Requirements()
            .version("a runtime", "1.9.2", "one operator")
            .version("a runtime", "1.10", "another operator")
            .version("a runtime", "1.10.0", "a third one")
            .version("a runtime", "1.2", "a fourth one")
            .version("a library", "3", "its classes");

    assertThat(requirements.build())
        .containsExactly(
            new Requirement("a runtime", "1.10 or newer", "another operator"),
            new Requirement("a library", "3 or newer", "its classes"));
  }

  @Test
  void other_requirements_follow_in_the_order_in_which_they_were_added() {
    var cpu = new Requirement("CPU", "x86-64", "packed weights");
    var option = new Requirement("an option", "1", "exact sums");

    assertThat(new Requirements().add(cpu).version("a runtime", "1", "it").add(option).build())
        .containsExactly(new Requirement("a runtime", "1 or newer", "it"), cpu, option);
  }

  @Test
  void a_version_without_numbers_is_an_error() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Requirements().version("a runtime", "newest", "it"));
  }
}
