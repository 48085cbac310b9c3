package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("An application that embeds Kvant with plugin folders")
@EnabledOnOs(
    value = OS.LINUX,
    disabledReason = "only Linux tells which native libraries are loaded")
class EmbeddingIT {

  /** Of 600; the models in float32 have 597. */
  private static final int RIGHT = 595;

  /**
   * The thread with which Java waits for the end of processes, for a minute after each. DJL starts
   * one to look for GPUs.
   */
  private static final String OF_JAVA_ITSELF = "process reaper.*";

  @TempDir private static Path unpacked;
  @TempDir private Path folder;

  private static Installed kvant = new Installed(Path.of(""));

  @BeforeAll
  static void unpack() {
    kvant = Installed.into(unpacked);
  }

  @Test
  void uses_engines_of_its_own_before_and_after_kvant_which_uses_the_same() throws Exception {
    JsonObject said =
        application(
            Engines.OF_ITS_OWN,
            "torch",
            "onnx",
            "modelopt-int8.yaml",
            "onnx-static-int8.yaml",
            "torch",
            "onnx");

    assertThat(answer(said, 4).get("logits")).isEqualTo(answer(said, 0).get("logits"));
    assertThat(answer(said, 5).get("logits")).isEqualTo(answer(said, 1).get("logits"));
    for (JsonObject ofKvant : List.of(answer(said, 2), answer(said, 3))) {
      assertThat(ofKvant.get("correct").getAsInt()).isGreaterThanOrEqualTo(RIGHT);
      assertThat(strings(ofKvant, "threads")).isEmpty();
      assertThat(strings(ofKvant, "loaders")).isEmpty();
    }
    assertThat(strings(said, "libraries"))
        .hasSize(2)
        .anyMatch(library -> library.contains("torch"))
        .anyMatch(library -> library.contains("onnx"));
  }

  @Test
  void uses_its_engines_after_kvant_has_started_them() throws Exception {
    JsonObject said =
        application(
            Engines.OF_ITS_OWN, "torchao-int8.yaml", "onnx-static-int8.yaml", "torch", "onnx");

    assertThat(answer(said, 0).get("correct").getAsInt()).isGreaterThanOrEqualTo(RIGHT);
    assertThat(answer(said, 1).get("correct").getAsInt()).isGreaterThanOrEqualTo(RIGHT);
    assertThat(answer(said, 2).getAsJsonArray("logits")).hasSize(10);
    assertThat(answer(said, 3).getAsJsonArray("logits")).hasSize(10);
    assertThat(strings(answer(said, 0), "loaders")).isEmpty();
    assertThat(strings(said, "libraries")).hasSize(2);
  }

  @Test
  void has_no_thread_of_kvant_or_the_engines_of_plugins_after_closing_it() throws Exception {
    JsonObject said =
        application(Engines.OF_PLUGINS, "modelopt-int8.yaml", "onnx-static-int8.yaml");

    for (JsonObject ofKvant : List.of(answer(said, 0), answer(said, 1))) {
      assertThat(ofKvant.get("correct").getAsInt()).isGreaterThanOrEqualTo(RIGHT);
      assertThat(strings(ofKvant, "threads")).allMatch(name -> name.matches(OF_JAVA_ITSELF));
    }
  }

  @Test
  void is_told_how_several_kvants_can_run_torchscript() throws Exception {
    JsonObject said =
        application(Engines.OF_PLUGINS, "torchao-int8.yaml", "transformer-torchao-int8.yaml");

    assertThat(answer(said, 0).get("correct").getAsInt()).isGreaterThanOrEqualTo(RIGHT);
    assertThat(answer(said, 1).get("error").getAsString())
        .startsWith("libtorch is in use by another class loader")
        .contains("put DJL with its PyTorch engine on the application's class path");
  }

  private enum Engines {
    OF_ITS_OWN,
    OF_PLUGINS
  }

  /** What the application says after it has done these tasks. */
  private JsonObject application(Engines engines, String... tasks) throws Exception {
    List<Object> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                // Java itself holds some classes softly.
                "-XX:SoftRefLRUPolicyMSPerMB=0",
                "-cp",
                classPath(engines),
                Embedding.class.getName(),
                kvant.home().resolve("plugins"),
                folder.resolve("results")));
    words.addAll(List.of(tasks));
    Run run = new Run.Command(words.toArray()).run();
    assertThat(run.exitCode()).as(run.err()).isZero();
    return run.json();
  }

  private static String classPath(Engines engines) throws IOException, URISyntaxException {
    List<String> path = new ArrayList<>();
    path.add(
        Path.of(Embedding.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .toString());
    path.add(kvant.home().resolve("lib") + File.separator + "*");
    if (engines == Engines.OF_ITS_OWN) {
      path.addAll(jars("torch"));
      path.addAll(jars("onnx"));
    }
    return path.stream().collect(Collectors.joining(File.pathSeparator));
  }

  /** What a plugin is made of, without what is Kvant's. */
  private static List<String> jars(String plugin) throws IOException {
    try (Stream<Path> files = Files.list(kvant.home().resolve("plugins").resolve(plugin))) {
      return files
          .filter(file -> file.toString().endsWith(".jar"))
          .filter(file -> !file.getFileName().toString().startsWith("kvant-"))
          .map(Path::toString)
          .toList();
    }
  }

  private static JsonObject answer(JsonObject said, int task) {
    return said.getAsJsonArray("answers").get(task).getAsJsonObject();
  }

  private static List<String> strings(JsonObject object, String key) {
    JsonArray array = object.getAsJsonArray(key);
    return StreamSupport.stream(array.spliterator(), false).map(JsonElement::getAsString).toList();
  }
}
