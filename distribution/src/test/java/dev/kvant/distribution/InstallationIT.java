package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Beside Kvant's own backends, another one")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "its scripts are for POSIX shells")
class InstallationIT {

  @TempDir private static Path unpacked;
  @TempDir private Path folder;

  private static Installed kvant = new Installed(Path.of(""));

  @BeforeAll
  static void unpack() {
    kvant = Installed.into(unpacked);
  }

  private OtherBackend other() {
    return new OtherBackend(folder);
  }

  private Run kvant(Installation way, OtherBackend other, String... arguments) throws Exception {
    Run run = command(way, other, arguments).run();
    assertThat(run.exitCode()).as(run.err()).isZero();
    return run;
  }

  private Run.Command command(Installation way, OtherBackend other, String... arguments)
      throws Exception {
    List<Object> words =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java")));
    words.addAll(way.java(kvant, other.jar(), folder));
    words.addAll(List.of(arguments));
    Run.Command command = new Run.Command(words.toArray());
    if (way == Installation.PLUGIN_FOLDERS) {
      command.with("KVANT_PLUGINS", folder.resolve("plugins").toString());
    }
    return command;
  }

  /** What {@code kvant backends} says; Kvant's own backends must work whatever the other does. */
  private JsonObject backends(Installation way, OtherBackend other) throws Exception {
    Run run = kvant(way, other, "backends", "--format", "json");
    JsonObject json = run.json();
    for (String id : List.of("compressed-tensors", "gguf", "modelopt", "onnx", "torchao")) {
      assertThat(backend(json, id).get("version").getAsString()).isEqualTo(version());
    }
    return json;
  }

  /** The version of Kvant, however its jars are put together. */
  private static String version() {
    return System.getProperty("kvant.version");
  }

  private static JsonObject backend(JsonObject json, String id) {
    return StreamSupport.stream(json.getAsJsonArray("backends").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .filter(each -> each.get("id").getAsString().equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("there is no backend " + id));
  }

  private static List<String> strings(JsonArray objects, String key) {
    return StreamSupport.stream(objects.spliterator(), false)
        .map(object -> object.getAsJsonObject().get(key).getAsString())
        .toList();
  }

  private static JsonObject broken(JsonObject json) {
    assertThat(json.getAsJsonArray("broken")).hasSize(1);
    JsonObject broken = json.getAsJsonArray("broken").get(0).getAsJsonObject();
    assertThat(broken.get("provider").getAsString()).isEqualTo("other.Backend");
    assertThat(broken.get("location").getAsString()).endsWith(".jar");
    return broken;
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void is_found(Installation way) throws Exception {
    JsonObject json = backends(way, other());

    assertThat(strings(json.getAsJsonArray("backends"), "id"))
        .containsExactly("compressed-tensors", "gguf", "modelopt", "onnx", "other", "torchao");
    assertThat(json.getAsJsonArray("broken")).isEmpty();
    assertThat(json.getAsJsonArray("conflicts")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void does_not_hide_the_version_of_kvant(Installation way) throws Exception {
    assertThat(kvant(way, other(), "--version").out()).startsWith("kvant " + version() + "\n");
  }

  @ParameterizedTest
  @CsvSource({
    "CLASS_PATH, torchao-int8.yaml",
    "CLASS_PATH, modelopt-int8.yaml",
    "CLASS_PATH, onnx-static-int8.yaml",
    "MODULE_PATH, torchao-int8.yaml",
    "MODULE_PATH, modelopt-int8.yaml",
    "MODULE_PATH, onnx-static-int8.yaml"
  })
  void lets_kvant_quantize_and_run_models(Installation way, String spec) throws Exception {
    Path results = folder.resolve("results");

    Run run =
        kvant(
            way,
            other(),
            "quantize",
            "-c",
            "examples/digits/" + spec,
            "--out",
            results.toString(),
            "--format",
            "json");

    // Later versions of Java warn of native code in the process.
    assertThat(run.err().lines().filter(line -> !line.isBlank()))
        .allMatch(line -> line.toLowerCase(Locale.ROOT).startsWith("warning: "));
    assertThat(run.json().getAsJsonArray("artifacts")).isNotEmpty();
    assertThat(run.json().getAsJsonObject("evaluation").getAsJsonArray("models")).hasSize(2);
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void that_is_broken_is_listed_with_its_cause(Installation way) throws Exception {
    JsonObject broken = broken(backends(way, other().thatFailsWhenItIsMade()));

    assertThat(broken.get("reason").getAsString()).isEqualTo("IllegalStateException: on purpose");
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void that_has_the_id_of_one_of_them_is_a_conflict_of_two_classes(Installation way)
      throws Exception {
    JsonArray conflicts = backends(way, other().called("torchao")).getAsJsonArray("conflicts");

    assertThat(conflicts).hasSize(1);
    assertThat(conflicts.get(0).getAsString())
        .startsWith("2 backends claim 'torchao'")
        .contains("other.Backend (", "dev.kvant.backend.torchao.TorchaoBackend (");
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void whose_native_library_is_missing_is_listed_as_unavailable(Installation way) throws Exception {
    JsonObject json = backends(way, other().thatNeedsANativeLibrary());

    JsonObject backend = backend(json, "other");
    assertThat(backend.get("available").getAsBoolean()).isFalse();
    assertThat(backend.get("unavailable_reason").getAsString()).contains("nowhere_to_be_found");
  }

  @ParameterizedTest
  @EnumSource(Installation.class)
  void for_another_version_of_kvant_is_listed_with_what_it_misses(Installation way)
      throws Exception {
    JsonObject broken = broken(backends(way, other().forAnotherVersion()));

    assertThat(broken.get("reason").getAsString()).contains("NoSuchMethodError", "removedLater");
  }

  @ParameterizedTest
  @EnumSource(names = {"CLASS_PATH", "PLUGIN_FOLDERS"})
  void without_the_signature_of_its_package_is_listed_as_such(Installation way) throws Exception {
    JsonObject broken = broken(backends(way, other().withoutTheSignatureOfItsNeighbour()));

    assertThat(broken.get("reason").getAsString())
        .contains("SecurityException", "signer information");
  }

  @ParameterizedTest
  // Java does not check what is on the module path, and signatures do not survive in a fat jar.
  @EnumSource(names = {"MODULE_PATH", "FAT_JAR"})
  void works_without_the_signature_of_its_package_where_java_checks_none(Installation way)
      throws Exception {
    JsonObject json = backends(way, other().withoutTheSignatureOfItsNeighbour());

    assertThat(backend(json, "other").get("available").getAsBoolean()).isTrue();
    assertThat(json.getAsJsonArray("broken")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODULE_PATH")
  void that_is_named_as_a_service_and_is_not_there_is_listed_as_such(Installation way)
      throws Exception {
    JsonObject broken = broken(backends(way, other().thatIsNotThere()));

    assertThat(broken.get("reason").getAsString()).contains("other.Backend not found");
  }

  @Test
  void that_is_named_as_a_service_and_is_not_there_keeps_java_from_making_a_module_of_its_jar()
      throws Exception {
    Run run = command(Installation.MODULE_PATH, other().thatIsNotThere(), "backends").run();

    assertThat(run.exitCode()).isNotZero();
    assertThat(run.out() + run.err()).contains("other.jar", "Provider class other.Backend not in");
  }
}
