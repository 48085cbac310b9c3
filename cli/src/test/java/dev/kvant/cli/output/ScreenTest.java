package dev.kvant.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.cli.output.Table.Cell;
import org.junit.jupiter.api.Test;

class ScreenTest {

  private static final String HOSTILE = "a\u001b[2Jb\rc";

  @Test
  void a_line_cannot_control_the_terminal() {
    Paper terminal = Paper.coloured();

    terminal.screen().line(HOSTILE);

    assertThat(terminal.lines()).containsExactly("a\\u001b[2Jb\\rc");
  }

  @Test
  void texts_on_one_line_keep_their_styles_and_nothing_else() {
    Paper terminal = Paper.coloured();

    terminal.screen().line(Cell.of(Style.STRONG, HOSTILE), Cell.of(" 1.0\u001b[8m"));

    assertThat(terminal.lines())
        .containsExactly("\u001b[1ma\\u001b[2Jb\\rc\u001b[0m 1.0\\u001b[8m");
  }

  @Test
  void a_paragraph_cannot_forge_another() {
    Paper pipe = Paper.wide();

    pipe.screen().paragraph("note: ", Style.STRONG, "one\u001b[1A\ntwo\u202e");

    assertThat(pipe.lines()).containsExactly("note: one\\u001b[1A\\ntwo\\u202e");
  }
}
