package dev.kvant.spi.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A parser of JSON")
class JsonParserTest {

  @Test
  void reads_values_of_all_kinds() {
    assertThat(
            JsonParser.parse(
                " {\"a\" : [1, -20000000000, 1.5, 2e3, true, false, null, {}, []]}\r\n"))
        .isEqualTo(
            Map.of(
                "a",
                Arrays.asList(
                    1, -20_000_000_000L, 1.5, 2000.0, true, false, null, Map.of(), List.of())));
  }

  @Test
  void reads_escaped_characters() {
    assertThat(JsonParser.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fC\""))
        .isEqualTo("\"\\/\b\f\n\r\tü");
  }

  @Test
  void reads_what_was_printed() {
    String text = "\u0000\u001f \"\\ü\u2028𝄞";

    assertThat(JsonParser.parse(JsonPrinter.print(text))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[1,]",
        "[1 2]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "nul",
        "01",
        "1.",
        "+1",
        "NaN",
        "123456789012345678901",
        "\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u00g0\"",
        "\"\\u00",
        "1 // one",
        "1 2"
      })
  void refuses_what_is_no_json(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> JsonParser.parse(text));
  }

  @Test
  void refuses_a_name_that_comes_twice() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JsonParser.parse("{\"a\":1,\"a\":2}"))
        .withMessageContaining("'a' comes twice");
  }

  @Test
  void refuses_a_nest_that_would_exhaust_the_stack() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JsonParser.parse("[".repeat(100_000)))
        .withMessageContaining("nested deeper");
  }
}
