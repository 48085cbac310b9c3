package dev.kvant.tck;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.spi.QuantizationBackend;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayName("A provider that no services file names")
@DisplayNameGeneration(ReplaceUnderscores.class)
class RegistrationTest {

  @Test
  void is_told_which_line_to_add_and_where() {
    assertThatThrownBy(
            () -> Registration.assertFound(QuantizationBackend.class, UnregisteredToyBackend.class))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(
            "no META-INF/services/dev.kvant.spi.QuantizationBackend on the class path has the line"
                + " dev.kvant.tck.UnregisteredToyBackend")
        .hasMessageContaining("src/main/resources")
        .hasMessageContaining("Found: dev.kvant.tck.ToyBackend");
  }
}
