package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The packed distribution")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "its scripts are for POSIX shells")
class DistributionIT {

  private static final String DATA = "examples/digits/data/test.npz";

  @TempDir private static Path unpacked;
  @TempDir private Path folder;

  private static Installed installed = new Installed(Path.of(""));

  @BeforeAll
  static void unpack() {
    installed = Installed.into(unpacked);
  }

  @Test
  void has_a_place_for_everything() {
    assertThat(installed.names(".")).contains("bin", "lib", "plugins", "LICENSE", "README.md");
    assertThat(installed.names("plugins"))
        .containsExactly(
            "compressed-tensors", "gguf", "images", "modelopt", "onnx", "text", "torch", "torchao");
    assertThat(installed.names("lib"))
        .anyMatch(name -> name.startsWith("kvant-cli-"))
        .noneMatch(name -> name.contains("torch"))
        .noneMatch(name -> name.contains("onnx"))
        .noneMatch(name -> name.contains("gguf"));
    assertThat(installed.names("plugins/torch"))
        .anyMatch(name -> name.startsWith("pytorch-native-cpu-"))
        .noneMatch(name -> name.contains("-api-0.1") || name.startsWith("kvant-spi-"));
  }

  @Test
  void says_its_version_from_any_folder_and_through_a_link() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("k"), installed.command());
    Path linkToLink = Files.createSymbolicLink(folder.resolve("kk"), Path.of("k"));

    Run run = new Run.Command(linkToLink, "--version").in(folder).run();

    assertThat(link).isSymbolicLink();
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).startsWith("kvant " + System.getProperty("kvant.version") + "\n");
  }

  @Test
  void finds_each_backend_in_its_plugin() throws Exception {
    JsonObject json = kvant("backends", "--format", "json").json();

    assertThat(json.getAsJsonArray("broken")).isEmpty();
    assertThat(json.getAsJsonArray("conflicts")).isEmpty();
    assertThat(json.getAsJsonArray("remarks")).isEmpty();
    assertThat(json.getAsJsonArray("backends"))
        .extracting(
            backend -> text(backend, "id"),
            backend ->
                installed
                    .home()
                    .resolve("plugins")
                    .relativize(Path.of(text(backend, "location")))
                    .getName(0)
                    .toString(),
            backend -> text(backend, "version"))
        .containsExactly(
            tuple("compressed-tensors", "compressed-tensors", System.getProperty("kvant.version")),
            tuple("gguf", "gguf", System.getProperty("kvant.version")),
            tuple("modelopt", "modelopt", System.getProperty("kvant.version")),
            tuple("onnx", "onnx", System.getProperty("kvant.version")),
            tuple("torchao", "torchao", System.getProperty("kvant.version")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "resnet.pth",
        "resnet.safetensors",
        "resnet_scripted.pt",
        "resnet_traced.pt",
        "resnet.onnx",
        "transformer_traced.pt"
      })
  void opens_models_of_every_format(String model) throws Exception {
    Run run = kvant("inspect", "examples/digits/models/" + model, "--format", "json");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.json().get("tensor_bytes").getAsLong()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"torchao-int8.yaml", "transformer-torchao-fp8_e4m3fn.yaml", "modelopt-int8.yaml"})
  void quantizes_the_examples(String spec) throws Exception {
    Run run =
        kvant("quantize", "-c", "examples/digits/" + spec, "--out", folder, "--format", "json");

    assertThat(run.err().lines()).allMatch(line -> line.startsWith("warning: "));
    assertThat(run.exitCode()).isZero();
    for (JsonElement artifact : run.json().getAsJsonArray("artifacts")) {
      assertThat(Path.of(text(artifact, "path"))).hasSize(number(artifact, "bytes"));
    }
    List<JsonObject> models = models(run.json().getAsJsonObject("evaluation"));
    assertThat(models).hasSize(2);
    assertThat(number(models.get(1), "correct"))
        .isGreaterThanOrEqualTo(number(models.get(0), "correct") - 1);
  }

  @Test
  void quantizes_the_detector_of_the_examples_and_compares_its_boxes() throws Exception {
    Run run =
        kvant(
            "quantize",
            "-c",
            "examples/digits/detector-onnx-int8.yaml",
            "--out",
            folder,
            "--format",
            "json");

    assertThat(run.exitCode()).isZero();
    List<JsonObject> models = models(run.json().getAsJsonObject("evaluation"));
    assertThat(models.get(0).get("map").getAsDouble()).isCloseTo(0.8890, within(0.0005));
    assertThat(models.get(1).get("map").getAsDouble()).isBetween(0.87, 0.90);
  }

  @Test
  void quantizes_an_onnx_graph_and_evaluates_it() throws Exception {
    Path spec =
        Files.writeString(
            folder.resolve("spec.yaml"),
            """
            backend: onnx
            mode: weight_only_ptq
            layers:
              - module_name: '*'
                weights: { dtype: int8 }
            """);

    Run run =
        kvant(
            "quantize",
            "-c",
            spec,
            "--model",
            "examples/digits/models/resnet.onnx",
            "--out",
            folder);

    assertThat(run.err().replaceAll("\\s+", " "))
        .startsWith("warning: on a CPU ONNX Runtime restores weights behind DequantizeLinear")
        .endsWith("for convolutions, static_ptq is faster ");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("float32 → int8");
    assertThat(run.out().replace("\n", "")).doesNotContainPattern("\\p{Cntrl}");
    Run evaluated =
        kvant(
            "evaluate",
            folder.resolve("quantized_model.onnx"),
            "--reference",
            "examples/digits/models/resnet.onnx",
            "--data",
            DATA,
            "--min-top1=0.99",
            "--min-cosine=0.999");
    assertThat(evaluated.err()).isEmpty();
    assertThat(evaluated.exitCode()).isZero();
  }

  @Test
  void leaves_nothing_in_the_folder_for_temporary_files() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));

    Run run = evaluation("KVANT_JAVA_OPTS", "-Djava.io.tmpdir=" + temporary);

    assertThat(run.exitCode()).isZero();
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void a_wrong_command_line_ends_with_2() throws Exception {
    assertThat(kvant("quantise").exitCode()).isEqualTo(2);
    assertThat(kvant("quantize").exitCode()).isEqualTo(2);
  }

  @Test
  void a_wrong_spec_ends_with_2_and_all_its_problems() throws Exception {
    Run run =
        kvant(
            "quantize",
            "-c",
            "examples/digits/torchao-int8.yaml",
            "quantize.layers[0].weights.dtype=int4",
            "quantize.device=tpu",
            "quantize.skip_name=[head]");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("error: 3 problems").contains("'int4'", "'tpu'", "skip_name");
  }

  @Test
  void activations_of_a_graph_without_calibration_data_are_a_wrong_spec() throws Exception {
    Run run = quantizeActivations("onnx", "resnet.onnx");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err())
        .contains(
            "error: quantize.calibration.path: backend 'onnx' in static_ptq requires calibration"
                + " data",
            "--calibration");
    assertThat(folder.resolve("results")).doesNotExist();
  }

  @Test
  void activations_of_an_archive_stay_native_without_calibration_data() throws Exception {
    Run run = quantizeActivations("modelopt", "resnet_traced.pt");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err())
        .containsOnlyOnce("there is no calibration data, so that the activations of 7 modules");
    assertThat(run.out()).contains("its activations stay native: there was no calibration data");
    assertThat(folder.resolve("results/quantized_model_modelopt.pt")).exists();
  }

  @ParameterizedTest
  @CsvSource({"onnx, resnet.onnx", "modelopt, resnet_traced.pt"})
  void calibration_data_that_is_not_there_ends_with_1(String backend, String model)
      throws Exception {
    Run run = quantizeActivations(backend, model, "--calibration", "no/such/data.npz");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("error: the data no/such/data.npz does not exist\n");
    assertThat(folder.resolve("results")).doesNotExist();
  }

  private Run quantizeActivations(String backend, String model, String... arguments)
      throws IOException, InterruptedException {
    Path spec =
        Files.writeString(
            folder.resolve("spec.yaml"),
            """
            backend: %s
            mode: static_ptq
            layers:
              - module_name: '*'
                weights: { dtype: int8 }
                activations: { dtype: int8 }
            """
                .formatted(backend));
    List<Object> all =
        new ArrayList<>(
            List.of(
                "quantize",
                "-c",
                spec,
                "--model",
                "examples/digits/models/" + model,
                "--out",
                folder.resolve("results")));
    all.addAll(List.of(arguments));
    return kvant(all.toArray());
  }

  @Test
  void a_path_beyond_the_locale_is_told_how_to_be_had() throws Exception {
    Run run = new Run.Command(installed.command(), "inspect", "größe.pt").with("LC_ALL", "C").run();

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("cannot be a path", "LC_ALL=C.UTF-8");
  }

  @Test
  void a_missing_model_ends_with_1() throws Exception {
    Run run = kvant("inspect", "no/such/model.pt");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).isEqualTo("error: the model file no/such/model.pt does not exist\n");
  }

  @Test
  void a_gate_that_is_not_passed_ends_with_3() throws Exception {
    Run run =
        kvant("evaluate", "examples/digits/models/resnet.onnx", "--data", DATA, "--min-top1=0.999");

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.err()).isEqualTo("gate not passed: top-1 is 0.995000, less than 0.999\n");
  }

  /** SIGTERM, since a build that a shell has put into the background makes SIGINT ignored. */
  @Test
  void a_signal_ends_with_its_own_code_and_no_output() throws Exception {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process =
        new Run.Command(
                installed.command(),
                "evaluate",
                "examples/digits/models/resnet.onnx",
                "--data",
                manySamples(),
                "--batch-size=1")
            .start(out, err);
    Thread.sleep(2000);
    assertThat(process.isAlive()).isTrue();

    process.destroy();

    Run run = Run.finished(process, out, err);
    assertThat(run.exitCode()).isEqualTo(128 + 15);
    assertThat(run.out()).isEmpty();
  }

  /** Blank scans, more than could be gone through in a minute. */
  private Path manySamples() throws IOException {
    return Npz.write(folder.resolve("many.npz"), 0, 200_000, 1, 8, 8);
  }

  @Test
  void without_plugins_it_starts_and_says_what_is_missing() throws Exception {
    Path bare = folder.toRealPath().resolve("bare");
    Path command = Files.createDirectories(bare.resolve("bin")).resolve("kvant");
    Files.copy(installed.command(), command, StandardCopyOption.COPY_ATTRIBUTES);
    Files.createSymbolicLink(bare.resolve("lib"), installed.home().resolve("lib"));

    Run backends = new Run.Command(command, "backends").run();
    Run inspect = new Run.Command(command, "inspect", "examples/digits/models/resnet.pth").run();

    assertThat(backends.exitCode()).isZero();
    assertThat(backends.out())
        .isEqualTo(
            "No backend is installed.\nThe folder of plugins %s/plugins does not exist.\n"
                .formatted(bare));
    assertThat(inspect.exitCode()).isEqualTo(1);
    assertThat(inspect.err())
        .isEqualTo(
            "warning: the folder of plugins %s/plugins does not exist; unpack the distribution again\n"
                    .formatted(bare)
                + "error: examples/digits/models/resnet.pth is not a model of any installed format;"
                + " it is a file of torch.save or torch.jit.save; install the format that reads"
                + " these; installed: none\n");
  }

  @Test
  void a_pipe_gets_no_control_characters_and_ascii_where_that_is_all_there_is() throws Exception {
    Run run = evaluation("LC_ALL", "C");

    assertThat(run.err()).isEmpty();
    assertThat(run.out().replace("\n", "")).matches("[\\p{Print}]+");
  }

  @Test
  void a_terminal_gets_colours_and_progress_unless_told_otherwise() throws Exception {
    assumeThat(Path.of("/usr/bin/script")).exists();
    String command =
        installed.command() + " evaluate examples/digits/models/resnet.onnx --data " + DATA;

    String coloured = onTerminal(command);
    String plain = onTerminal("env NO_COLOR=1 " + command);

    assertThat(coloured).contains("\u001b[1mmodel\u001b[0m", "\r\u001b[Kevaluate  ");
    assertThat(plain).contains("\r\u001b[Kevaluate  ").doesNotContain("\u001b[1m");
  }

  @Test
  void tables_fit_the_columns_that_there_are() throws Exception {
    Run run =
        new Run.Command(
                installed.command(), "inspect", "examples/digits/models/transformer_traced.pt")
            .with("COLUMNS", "72")
            .run();

    assertThat(run.out().lines())
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(72));
  }

  @Test
  void options_for_the_jvm_are_passed_on() throws Exception {
    Run run =
        new Run.Command(installed.command(), "--version")
            .with("KVANT_JAVA_OPTS", "-Dos.name=Elsewhere -Dos.arch=none")
            .run();

    assertThat(run.out()).endsWith(", Elsewhere none\n");
  }

  @Test
  void classes_that_java_has_noted_are_taken_from_there() throws Exception {
    Path classes = installed.home().resolve("classes.jsa");
    Path log = folder.resolve("classes.log");
    try {
      new Run.Command(installed.command(), "--version")
          .with("KVANT_JAVA_OPTS", "-XX:ArchiveClassesAtExit=" + classes)
          .run();
      new Run.Command(installed.command(), "--version")
          .with("KVANT_JAVA_OPTS", "-Xlog:class+load:file=" + log)
          .run();

      assertThat(log).content().contains("dev.kvant.cli.Main source: shared objects file (top)");
    } finally {
      Files.deleteIfExists(classes);
    }
  }

  @Test
  void notes_that_java_cannot_use_are_passed_over() throws Exception {
    Path classes = installed.home().resolve("classes.jsa");
    try {
      Files.writeString(classes, "made by another Java");

      Run run = new Run.Command(installed.command(), "--version").run();

      assertThat(run.err()).isEmpty();
      assertThat(run.exitCode()).isZero();
    } finally {
      Files.delete(classes);
    }
  }

  @Test
  void a_java_home_without_java_is_named() throws Exception {
    Run run =
        new Run.Command(installed.command(), "--version")
            .with("JAVA_HOME", folder.toString())
            .run();

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).startsWith("error: JAVA_HOME is " + folder);
  }

  /** Of an ONNX graph, in a process with that variable. */
  private static Run evaluation(String variable, String value)
      throws IOException, InterruptedException {
    return new Run.Command(
            installed.command(), "evaluate", "examples/digits/models/resnet.onnx", "--data", DATA)
        .with(variable, value)
        .run();
  }

  private static String onTerminal(String command) throws IOException, InterruptedException {
    return new Run.Command("/usr/bin/script", "-qec", command, "/dev/null").run().out();
  }

  private static Run kvant(Object... arguments) throws IOException, InterruptedException {
    List<Object> words = new ArrayList<>(List.of(installed.command()));
    words.addAll(List.of(arguments));
    return new Run.Command(words.toArray()).run();
  }

  private static List<JsonObject> models(JsonObject evaluation) {
    return StreamSupport.stream(evaluation.getAsJsonArray("models").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static String text(JsonElement object, String key) {
    return object.getAsJsonObject().get(key).getAsString();
  }

  private static long number(JsonElement object, String key) {
    return object.getAsJsonObject().get(key).getAsLong();
  }
}
