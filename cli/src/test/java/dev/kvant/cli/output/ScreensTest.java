package dev.kvant.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class ScreensTest {

  @Test
  void a_terminal_is_drawn_on_in_colours() {
    Screen screen = screen("out,err", Map.of());

    assertThat(screen.interactive()).isTrue();
    assertThat(screen.styled(Style.GOOD, "done")).isEqualTo("\u001b[32mdone\u001b[0m");
  }

  @Test
  void a_pipe_gets_plain_text_of_any_width() {
    Screen screen = screen("err", Map.of());

    assertThat(screen.interactive()).isFalse();
    assertThat(screen.styled(Style.GOOD, "done")).isEqualTo("done");
    assertThat(screen.columns()).isEqualTo(Screen.UNLIMITED);
  }

  @Test
  void no_color_switches_colours_off_and_nothing_else() {
    Screen screen = screen("out", Map.of("NO_COLOR", "1"));

    assertThat(screen.coloured()).isFalse();
    assertThat(screen.interactive()).isTrue();
  }

  @Test
  void an_empty_no_color_says_nothing() {
    assertThat(screen("out", Map.of("NO_COLOR", "")).coloured()).isTrue();
  }

  @Test
  void a_dumb_terminal_is_no_place_for_escape_sequences() {
    Screen screen = screen("out", Map.of("TERM", "dumb"));

    assertThat(screen.interactive()).isFalse();
    assertThat(screen.coloured()).isFalse();
  }

  @Test
  void columns_of_the_environment_count_first() {
    Properties properties = properties("out");
    properties.setProperty(Screens.COLUMNS_PROPERTY, "132");

    assertThat(screen(StandardCharsets.UTF_8, Map.of("COLUMNS", "60"), properties).columns())
        .isEqualTo(60);
    assertThat(screen(StandardCharsets.UTF_8, Map.of(), properties).columns()).isEqualTo(132);
    assertThat(screen(StandardCharsets.UTF_8, Map.of("COLUMNS", "wide"), properties).columns())
        .isEqualTo(132);
  }

  @Test
  void a_terminal_of_unknown_width_has_80_columns() {
    assertThat(screen("out", Map.of()).columns()).isEqualTo(80);
  }

  @Test
  void a_terminal_whose_characters_are_ascii_gets_ascii() {
    assertThat(screen(StandardCharsets.US_ASCII, Map.of(), properties("out")).symbol("→", "->"))
        .isEqualTo("->");
    assertThat(screen(StandardCharsets.UTF_8, Map.of(), properties("out")).symbol("→", "->"))
        .isEqualTo("→");
  }

  private static Screen screen(String terminals, Map<String, String> environment) {
    return screen(StandardCharsets.UTF_8, environment, properties(terminals));
  }

  private static Properties properties(String terminals) {
    var properties = new Properties();
    properties.setProperty(Screens.TERMINALS_PROPERTY, terminals);
    return properties;
  }

  private static Screen screen(
      Charset charset, Map<String, String> environment, Properties properties) {
    return Screens.screen(
        new PrintWriter(new StringWriter()), charset, "out", environment, properties);
  }
}
