package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.cli.output.Screen;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
              beside them  quantized.text.data

              mode             weights         activations
              ────────────────────────────────────────────
              weight_only_ptq  int8, fp8_e5m2  left alone

              backend_kwargs  value                                       default  meaning
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
    assertThat(backend.getAsJsonArray("side_files"))
        .extracting(each -> each.getAsString())
        .containsExactly("quantized.text.data");
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
  void what_a_plugin_offers_is_listed() throws IOException {
    Path plugin = Files.createDirectories(folder.resolve("acme"));
    // The class is on the class path of the test, but the plugin must find it in a jar of its own.
    Jars.write(
        plugin.resolve("acme.jar"),
        Map.of(
            "META-INF/services/dev.kvant.spi.ModelFormat",
            bytes(TextFormat.class.getName()),
            "META-INF/services/dev.kvant.spi.ModelRunnerProvider",
            bytes(TextRunner.class.getName()),
            fileName(TextFormat.class),
            classFile(TextFormat.class),
            fileName(TextRunner.class),
            classFile(TextRunner.class)));
    Installations installations = new Installations(List.of(folder));

    Session session = Session.run(installations, Screen.UNLIMITED, "backends");
    JsonObject json =
        Session.run(installations, Screen.UNLIMITED, "backends", "--format", "json").json();

    assertThat(session.out())
        .contains(
            """
            plugin  offers
            ──────────────────────────────
            acme    format text; runs text
            """);
    assertThat(json.getAsJsonArray("plugins"))
        .singleElement()
        .isEqualTo(
            JsonParser.parseString("{name: acme, location: '%s', parent: null}".formatted(plugin)));
    assertThat(json.getAsJsonArray("providers"))
        .map(each -> each.getAsJsonObject())
        .filteredOn(each -> !each.get("plugin").isJsonNull())
        .extracting(
            each -> each.get("service").getAsString(),
            each -> each.get("ids").toString(),
            each -> each.get("provider").getAsString(),
            each -> each.get("available").getAsBoolean())
        .containsExactly(
            tuple("format", "[\"text\"]", TextFormat.class.getName(), true),
            tuple("runner", "[\"text\"]", TextRunner.class.getName(), true));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String fileName(Class<?> type) {
    return type.getName().replace('.', '/') + ".class";
  }

  private static byte[] classFile(Class<?> type) throws IOException {
    try (InputStream in = type.getResourceAsStream("/" + fileName(type))) {
      return Objects.requireNonNull(in).readAllBytes();
    }
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
            warning: the folder of plugins %s does not exist; create it or correct the environment variable KVANT_PLUGINS
            error: the model file nothing.pt does not exist
            """
                .formatted(missing));
  }
}
