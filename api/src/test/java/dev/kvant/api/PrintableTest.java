package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrintableTest {

  @Test
  void escapes_line_breaks_and_codes_of_terminals_and_of_direction() {
    assertThat(Printable.of("a\nb\rc\td\u001b[2Je\u202ef\u2028g\0h\u0085i"))
        .isEqualTo("a\\nb\\rc\\td\\u001b[2Je\\u202ef\\u2028g\\u0000h\\u0085i");
    assertThat(Printable.of("tag " + Character.toString(0xE0041))).isEqualTo("tag \\udb40\\udc41");
  }

  @Test
  void leaves_all_other_text_as_it_is() {
    String text = "C:\\new $1 größer 漢字 " + Character.toString(0x1F600);
    assertThat(Printable.of(text)).isEqualTo(text);
  }

  @Test
  void shortens_long_text() {
    assertThat(Printable.shortened("x".repeat(300))).isEqualTo("x".repeat(300));
    assertThat(Printable.shortened("x".repeat(299) + "\n\n")).isEqualTo("x".repeat(299) + "\\n…");
  }

  @Test
  void is_what_every_message_of_an_exception_is() {
    assertThat(new ModelFormatException("no tensor 'a\nerror: b' in it\n"))
        .hasMessage("no tensor 'a\\nerror: b' in it");
  }

  @Test
  void makes_one_line_of_each_problem() {
    var failure =
        new InvalidConfigurationException(
            List.of(new ConfigurationProblem("a\nb", "c"), new ConfigurationProblem("", "d\n")));

    assertThat(failure.getMessage().lines()).containsExactly("a\\nb: c", "d\\n");
    assertThat(failure.lines()).containsExactly("a\\nb: c", "d\\n");
  }

  @Test
  void a_message_shows_no_more_than_the_first_fifty_problems() {
    List<ConfigurationProblem> problems =
        IntStream.range(0, 20_000)
            .mapToObj(i -> new ConfigurationProblem("key" + i, "is unknown"))
            .toList();
    var failure = new InvalidConfigurationException(problems);

    assertThat(failure.problems()).hasSize(20_000);
    assertThat(failure.getMessage().lines())
        .hasSize(51)
        .startsWith("key0: is unknown")
        .endsWith("key49: is unknown", "and 19950 more problems");
  }
}
