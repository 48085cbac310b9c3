package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names in a model file that clear a screen, turn the direction of text or ring a bell. */
class HostileNamesTest {

  private static final String CLEAR = "\u001b[2J";
  private static final String REVERSE = "\u202e";
  private static final String BELL = "\u0007";

  @TempDir private Path folder;
  private Path model;
  private Path spec;

  @BeforeEach
  void write() {
    Models models = new Models(folder);
    model =
        models.model(
            "fc%s Linear%s weight:float32:2x2\n%sact Re%sLU\nnorm%s Norm weight:float32:2\n"
                .formatted(CLEAR, BELL, REVERSE, CLEAR, CLEAR));
    spec =
        models.spec(
            """
            quantize:
              backend: text
              model_path: %s
              results_dir: %s
              layers:
                - module_name: '*'
                  weights: { dtype: int8 }
            """
                .formatted(model, models.results()));
  }

  @Test
  void are_shown_without_their_codes_by_every_command() {
    assertHarmless(Session.run("inspect", model.toString()), "fc\\u001b[2J");
    assertHarmless(
        Session.run("plan", "-c", spec.toString(), "quantize.strict=false"), "fc\\u001b[2J");
    assertHarmless(
        Session.run("quantize", "-c", spec.toString(), "quantize.strict=false"), "fc\\u001b[2J");
  }

  @Test
  void are_harmless_in_errors_and_in_their_stack_traces() {
    String[] command = {
      "plan", "-c", spec.toString(), "quantize.layers[0].module_name=" + CLEAR + "x", "--verbose"
    };
    Session session = Session.run(command);

    assertThat(session.exitCode()).isEqualTo(2);
    assertHarmless(session, "\\u001b[2Jx");
    assertHarmless(Session.run("inspect", folder.resolve("a" + CLEAR).toString()), "a\\u001b[2J");
  }

  @Test
  void are_escaped_in_documents() {
    assertHarmless(Session.run("inspect", model.toString(), "--format", "json"), "\\u001b[2J");
  }

  private static void assertHarmless(Session session, String shown) {
    String all = session.out() + session.err();
    assertThat(all).contains(shown).doesNotContain(CLEAR, REVERSE, BELL);
    assertThat(all.chars().filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t'))
        .isEmpty();
  }
}
