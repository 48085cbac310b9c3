package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import dev.kvant.cli.output.Screen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendsCommandTest {

  @TempDir private Path folder;

  @Test
  void shows_what_a_backend_is_and_can_do() {
    Session session = Session.run("backends");

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .contains(
            """
            text 7.1
              Quantizes models that are lines of text.
              available    yes
              also called  plain
            """)
        .contains(
            """
              takes        text
              writes       quantized.text

              mode             weights         activations
              ────────────────────────────────────────────
              weight_only_ptq  int8, fp8_e5m2  left alone

              backend_kwargs  value                        default  meaning
            """);
  }

  @Test
  void tells_programs_the_same() {
    JsonObject backend =
        Session.run("backends", "--format", "json")
            .json()
            .getAsJsonArray("backends")
            .get(0)
            .getAsJsonObject();

    assertThat(backend.get("id").getAsString()).isEqualTo("text");
    assertThat(backend.get("version").getAsString()).isEqualTo("7.1");
    assertThat(backend.get("available").getAsBoolean()).isTrue();
    assertThat(backend.get("unavailable_reason").isJsonNull()).isTrue();
    assertThat(
            backend
                .getAsJsonObject("modes")
                .getAsJsonObject("weight_only_ptq")
                .getAsJsonArray("weights"))
        .extracting(each -> each.getAsString())
        .containsExactly("int8", "fp8_e5m2");
    assertThat(
            backend.getAsJsonArray("options").get(0).getAsJsonObject().get("default").getAsString())
        .isEqualTo("none");
  }

  @Test
  void a_broken_plugin_is_shown_with_its_cause() throws IOException {
    Path services = Files.createDirectories(folder.resolve("broken"));
    Jars.write(
        services.resolve("broken.jar"),
        "META-INF/services/dev.kvant.spi.QuantizationBackend",
        "com.example.Missing\n");
    Installations installations = new Installations(List.of(folder));

    Session session = Session.run(installations, Screen.UNLIMITED, "backends");

    assertThat(session.exitCode()).isZero();
    assertThat(session.out())
        .contains("Cannot be used:\n  - ")
        .contains("com.example.Missing")
        .contains("broken.jar");
    assertThat(
            Session.run(installations, Screen.UNLIMITED, "backends", "--format", "json")
                .json()
                .getAsJsonArray("broken")
                .get(0)
                .getAsJsonObject()
                .get("provider")
                .getAsString())
        .isEqualTo("com.example.Missing");
  }

  @Test
  void the_cause_of_a_broken_plugin_is_shown_in_full_on_request() throws IOException {
    Path services = Files.createDirectories(folder.resolve("broken"));
    Jars.write(
        services.resolve("broken.jar"),
        "META-INF/services/dev.kvant.spi.QuantizationBackend",
        "com.example.Missing\n");

    Session session =
        Session.run(new Installations(List.of(folder)), Screen.UNLIMITED, "backends", "--verbose");

    assertThat(session.err()).contains("ServiceConfigurationError", "\tat ");
  }

  @Test
  void a_folder_of_plugins_that_is_not_there_is_named() {
    Path missing = folder.resolve("plugins");

    Session session =
        Session.run(new Installations(List.of(missing)), Screen.UNLIMITED, "inspect", "nothing.pt");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .isEqualTo(
            """
            error: the model file nothing.pt does not exist
            The folder of plugins %s is not there.
            """
                .formatted(missing));
  }
}
