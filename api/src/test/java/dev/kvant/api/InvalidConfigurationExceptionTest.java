package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("An invalid configuration")
class InvalidConfigurationExceptionTest {

  private final InvalidConfigurationException two =
      new InvalidConfigurationException(
          List.of(
              new ConfigurationProblem("quantize.backend", "is required"),
              new ConfigurationProblem("", "the document is empty")));

  @Test
  void tells_all_its_problems_a_line_each() {
    assertThat(two)
        .hasMessage(
            "quantize.backend: is required" + System.lineSeparator() + "the document is empty");
  }

  @Test
  void keeps_its_problems_when_it_is_serialized() throws Exception {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(two);
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat(((InvalidConfigurationException) in.readObject()).problems())
          .isEqualTo(two.problems());
    }
  }

  @Test
  void has_at_least_one_problem() {
    assertThatThrownBy(() -> new InvalidConfigurationException(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
