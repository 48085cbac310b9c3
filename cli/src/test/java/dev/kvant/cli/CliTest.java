package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CliTest {

  @Test
  void help_lists_the_commands_and_the_exit_codes() {
    Session session = Session.run("--help");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .contains("quantize", "plan", "evaluate", "inspect", "backends")
        .containsPattern("0 +done")
        .containsPattern("3 +a gate");
    assertThat(session.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"quantize", "plan", "evaluate", "inspect", "backends"})
  void every_command_has_help_with_an_example_and_exit_codes(String command) {
    Session session = Session.run(command, "--help");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .startsWith("Usage: kvant " + command)
        .contains("Exit codes:", "--format", "--verbose", "  kvant " + command);
    assertThat(Session.run("help", command).out()).isEqualTo(session.out());
  }

  @Test
  void help_fits_a_narrow_terminal() {
    Session session = Session.run(new Installations(List.of()), 60, "evaluate", "--help");

    assertThat(
            session
                .out()
                .lines()
                .filter(
                    line ->
                        !line.startsWith("  kvant")
                            && !line.startsWith("      --data")
                            && !line.startsWith("      --reference examples")))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(60));
  }

  @Test
  void the_version_is_one_line_and_the_surroundings_another() {
    Session session = Session.run("--version");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out().lines()).hasSize(2).first().asString().startsWith("kvant ");
  }

  @Test
  void no_command_at_all_is_wrong_usage() {
    Session session = Session.run();

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.out()).isEmpty();
    assertThat(session.err().lines())
        .containsExactly("error: no command was given", "'kvant --help' explains the command.");
  }

  @Test
  void a_misspelt_command_is_answered_with_the_right_one() {
    Session session = Session.run("quantise");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .startsWith("error: there is no command 'quantise'; did you mean quantize?\n");
  }

  @Test
  void a_misspelt_option_is_answered_with_the_right_one() {
    Session session = Session.run("quantize", "--modle", "x.pt", "-c", "spec.yaml");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .startsWith("error: there is no option '--modle'; did you mean --mode or --model?\n");
  }

  @Test
  void a_format_that_does_not_exist_is_answered_with_those_that_do() {
    Session session = Session.run("backends", "--format", "xml");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("--format", "xml", "table", "json");
  }

  @Test
  void a_path_that_cannot_be_one_is_named() {
    Session session = Session.run("inspect", "a\0b");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("MODEL", "cannot be a path: Nul character");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " "})
  void a_path_that_is_empty_is_wrong_usage(String nothing) {
    Session session = Session.run("quantize", "-c", "spec.yaml", "--out", nothing);

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("--out", "the path is empty; '.' is the working directory");
  }

  @Test
  void one_argument_too_many_is_named() {
    Session session = Session.run("inspect", "a.pt", "b.pt");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).startsWith("error: 'b.pt' is one argument too many\n");
  }

  @Test
  void a_missing_argument_is_named() {
    Session session = Session.run("evaluate", "model.onnx");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).contains("--data=PATH");
  }
}
