package dev.kvant.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.cli.output.Table.Cell;
import dev.kvant.cli.output.Table.Column;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableTest {

  @Test
  void words_stand_left_and_numbers_right() {
    Table table = Table.of(Column.text("name"), Column.number("size"));
    table.row("a", "1 B").row("longer", "1000 B");

    assertThat(printed(table, Paper.wide()))
        .containsExactly(
            "name      size", //
            "--------------",
            "a          1 B",
            "longer  1000 B");
  }

  @Test
  void a_column_without_any_content_is_left_out() {
    Table table = Table.of(Column.text("name"), Column.prose("note"), Column.number("size"));
    table.row("a", "", "1 B");

    assertThat(printed(table, Paper.wide())).first().isEqualTo("name  size");
  }

  @Test
  void no_line_ends_in_blanks() {
    Table table = Table.of(Column.text("name"), Column.text("class"), Column.prose("note"));
    table.row("a", "Linear", "").row("bcdefgh", "", "").row("", "", "seen");

    assertThat(printed(table, Paper.wide())).noneMatch(line -> line.endsWith(" "));
  }

  @Test
  void sentences_are_broken_into_lines_where_room_is_short() {
    Table table = Table.of(Column.text("name"), Column.prose("note"));
    table.row("a", "one two three four five six");
    table.row("b", "seven");

    assertThat(printed(table, Paper.columns(20)))
        .containsExactly(
            "name  note",
            "--------------------",
            "a     one two three",
            "      four five six",
            "b     seven");
  }

  @Test
  void names_lose_their_middle_where_room_is_short() {
    Table table = Table.of(Column.name("module"), Column.text("class"));
    table.row("encoder.layers.11.attention.output", "Linear");

    assertThat(printed(table, Paper.columns(30)))
        .last()
        .isEqualTo("encode..tention.output  Linear");
  }

  @Test
  void a_table_that_cannot_give_way_any_more_is_printed_too_wide() {
    Table table = Table.of(Column.text("name"), Column.text("class"));
    table.row("a-name-that-stays", "a-class-that-stays");

    assertThat(printed(table, Paper.columns(10)))
        .last()
        .isEqualTo("a-name-that-stays  a-class-that-stays");
  }

  @ParameterizedTest
  @ValueSource(ints = {40, 41, 57, 79, 80, 200})
  void every_line_fits_the_screen(int columns) {
    Table table = Table.of(Column.name("module"), Column.text("class"), Column.prose("note"));
    table.row("encoder.layers.11.attention.output.dense", "Linear", "why it is so, in some words");

    assertThat(printed(table, Paper.columns(columns)))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(columns));
  }

  @Test
  void styles_do_not_move_columns() {
    Table table = Table.of(Column.text("name"), Column.text("class"));
    table.row(Cell.of(Style.WARNING, "a"), Cell.of("Linear"));
    table.row("longer", "Conv2d");
    Paper coloured = Paper.coloured();

    assertThat(printed(table, coloured).stream().map(Paper::withoutStyles))
        .isEqualTo(printed(table, Paper.wideUnicode()));
  }

  @Test
  void what_controls_a_terminal_is_escaped() {
    Table table = Table.of(Column.name("module"), Column.text("class"), Column.prose("note"));
    table.row("a\u001b[2Jb", "Lin\near", "says\r\u202eit\u0007");

    assertThat(printed(table, Paper.wide()))
        .last()
        .isEqualTo("a\\u001b[2Jb  Lin\\near  says\\r\\u202eit\\u0007");
  }

  @Test
  void a_row_of_another_length_is_refused() {
    Table table = Table.of(Column.text("name"));

    assertThatThrownBy(() -> table.row("a", "b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cells: a row of this table has 1, not 2");
  }

  private static List<String> printed(Table table, Paper paper) {
    table.print(paper.screen());
    return paper.lines();
  }
}
