package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The command, quantizing with calibration data,")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the command is a script for POSIX shells")
class StaticQuantizationIT {

  private static final String MODEL = "examples/digits/models/resnet_traced.pt";
  private static final String SCRIPTED = "examples/digits/models/resnet_scripted.pt";
  private static final String SCANS = "examples/digits/data/calibration.npz";

  private static final String ENDLESS =
      "runners/torch/src/test/resources/dev/kvant/torch/runtime/endless.pt";

  private static final String CACHE = "quantize.backend_kwargs.calibration_cache=";

  @TempDir private static Path unpacked;
  @TempDir private Path folder;

  private static Installed installed = new Installed(Path.of(""));
  private Path spec = Path.of("");
  private Path out = Path.of("");

  @BeforeAll
  static void unpack() {
    installed = Installed.into(unpacked);
  }

  @BeforeEach
  void writeSpec() throws IOException {
    out = folder.resolve("out");
    spec =
        Files.writeString(
            folder.resolve("spec.yaml"),
            """
            quantize:
              backend: modelopt
              mode: static_ptq
              layers:
                - module_name: Linear
                  weights: { dtype: int8 }
                  activations: { dtype: int8 }
            """);
  }

  @Test
  void keeps_what_it_observed_and_says_when_it_knew_it() throws Exception {
    Path cache = folder.resolve("new/observed.cache");

    Run first = quantize(MODEL, SCANS, CACHE + cache);
    Map<String, String> artifacts = content(out);
    Run second = quantize(MODEL, SCANS, CACHE + cache);

    assertThat(first.exitCode()).isZero();
    assertThat(first.out()).doesNotContain("known from");
    assertThat(cache).isRegularFile();
    assertThat(second.exitCode()).isZero();
    assertThat(second.out()).contains("its input is known from " + cache);
    assertThat(content(out)).isEqualTo(artifacts);
  }

  @Test
  void refuses_a_cache_that_tells_of_something_else() throws Exception {
    Path cache = folder.resolve("observed.cache");
    quantize(MODEL, SCANS, CACHE + cache);
    Map<String, String> before = content(folder);

    assertRefused(quantize(SCRIPTED, SCANS, CACHE + cache), cache, "another model file");
    assertRefused(
        quantize(MODEL, SCANS, CACHE + cache, "quantize.layers[0].module_name=Conv2d"),
        cache,
        "another plan, which did not observe stem");
    assertRefused(quantize(MODEL, npz("other", 1, 4, 1, 8, 8), CACHE + cache), cache, "other data");
    assertThat(content(folder)).containsAllEntriesOf(before);
  }

  private static void assertRefused(Run run, Path cache, String why) {
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("error: the statistics file " + cache + " was made with " + why)
        .hasLineCount(1);
  }

  @Test
  void refuses_a_cache_that_was_cut_short_or_is_none() throws Exception {
    Path cache = folder.resolve("observed.cache");
    quantize(MODEL, SCANS, CACHE + cache);
    Files.write(cache, Arrays.copyOf(Files.readAllBytes(cache), 1000));

    Run cut = quantize(MODEL, SCANS, CACHE + cache);
    Run none = quantize(MODEL, SCANS, CACHE + spec);
    Run directory = quantize(MODEL, SCANS, CACHE + folder);

    String error =
        "error: %s is not a valid statistics file: %s; remove it, or name another file\n";
    assertThat(cut.err()).isEqualTo(error.formatted(cache, "it is cut short"));
    assertThat(none.err()).isEqualTo(error.formatted(spec, "it does not begin as one"));
    assertThat(directory.err()).isEqualTo(error.formatted(folder, "it is a folder"));
    assertThat(List.of(cut.exitCode(), none.exitCode(), directory.exitCode())).containsOnly(1);
  }

  @ParameterizedTest
  @CsvSource({
    "modelopt, examples/digits/models/resnet_traced.pt, minmax",
    "onnx, examples/digits/models/resnet.onnx, entropy"
  })
  void merges_the_statistics_of_two_processes_into_those_of_all_data(
      String backend, String model, String algorithm) throws Exception {
    Files.createDirectories(folder.resolve("data"));
    npz("data/1", 1, 4, 1, 8, 8);
    npz("data/2", -3, 6, 1, 8, 8);
    // The result of the verification is in the artifact, and depends on the samples.
    String[] settings = {
      "quantize.backend=" + backend,
      "quantize.algorithm=" + algorithm,
      "quantize.verify.enabled=false"
    };
    Path first = folder.resolve("first.statistics");
    Path second = folder.resolve("second.statistics");

    Run whole = quantize(model, folder.resolve("data"), settings);
    Map<String, String> artifacts = withoutManifest(content(out));
    Run one = calibrate(model, folder.resolve("data/1.npz"), first, settings);
    Run two = calibrate(model, folder.resolve("data/2.npz"), second, settings);
    Run merged =
        new Run.Command(
                installed.command(),
                "quantize",
                "-c",
                spec,
                "--model",
                model,
                "--out",
                out,
                "--statistics",
                second,
                "--statistics",
                first,
                settings[0],
                settings[1],
                settings[2])
            .run();

    assertThat(List.of(whole.exitCode(), one.exitCode(), two.exitCode(), merged.exitCode()))
        .containsOnly(0);
    assertThat(one.out()).startsWith(first + ": statistics of ");
    assertThat(withoutManifest(content(out))).isEqualTo(artifacts);
  }

  /** The manifest names the data that the spec names. */
  private static Map<String, String> withoutManifest(Map<String, String> content) {
    assertThat(content.remove("kvant-manifest.json")).isNotNull();
    return content;
  }

  @Test
  void refuses_a_cache_without_a_place_before_data_runs() throws Exception {
    Run run = quantize(MODEL, npz("rejected", 1, 4, 3, 8, 8), CACHE + spec.resolve("cache"));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "error: the statistics file %s/cache cannot be written: the folder %s cannot be made:"
                + " %s is a file\n",
            spec, spec, spec);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1         | 3 | float32[4, 3, 8, 8]: RuntimeError: Given groups=1, weight of size [24, 1,"
            + " 3, 3]",
        "NaN       | 1 | input 'input' is NaN at index 0; leave such samples out",
        "-Infinity | 1 | input 'input' is -Infinity at index 0; leave such samples out"
      })
  void names_the_batch_that_does_not_fit(float value, int channels, String what) throws Exception {
    Path data = Files.createDirectory(folder.resolve("data"));
    Files.copy(root(SCANS), data.resolve("a.npz"));
    npz("data/b", value, 4, channels, 8, 8);

    Run run = quantize(MODEL, data, "quantize.calibration.batch_size=256");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).startsWith("error: batch 2: ").contains(what).hasLineCount(1);
    assertThat(out).doesNotExist();
  }

  @Test
  void names_data_without_samples_and_a_device_that_is_not_there() throws Exception {
    Run empty = quantize(MODEL, npz("empty", 0, 0, 1, 8, 8));
    Run device = quantize(MODEL, SCANS, "quantize.device=cuda:7");

    assertThat(empty.err()).isEqualTo("error: %s/empty.npz has no samples\n".formatted(folder));
    assumeThat(device.exitCode()).as("there is no cuda:7").isNotZero();
    assertThat(device.err())
        .startsWith("error: device cuda:7: libtorch ")
        .contains("use device cpu");
    assertThat(List.of(empty.exitCode(), device.exitCode())).containsOnly(1);
    assertThat(out).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "remount,ro"})
  void leaves_older_artifacts_on_a_full_or_read_only_disk(String remount) throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    Run mount = inNamespaceWith(disk, "true");
    assumeThat(mount.exitCode()).as("a file system can be mounted here").isZero();
    quantize(MODEL, SCANS);
    Map<String, String> older = content(out);

    String work =
        "cp -r %s %s/out && %s; %s quantize -c %s --model %s --calibration %s --out %s/out; code=$?; cp -r %s/out %s; exit $code"
            .formatted(
                out,
                disk,
                remount.isEmpty() ? "true" : "mount -o " + remount + " " + disk,
                installed.command(),
                spec,
                SCRIPTED,
                SCANS,
                disk,
                disk,
                folder.resolve("after"));
    Run run = inNamespaceWith(disk, work);

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("error: ")
        .contains(remount.isEmpty() ? "No space left on device" : "Read-only file system")
        .hasLineCount(1);
    assertThat(content(folder.resolve("after"))).isEqualTo(older);
  }

  /** A shell to which a file system of 1 MB is mounted there, which nobody else sees. */
  private static Run inNamespaceWith(Path disk, String work) throws Exception {
    return new Run.Command(
            "unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m none " + disk + " && " + work)
        .run();
  }

  /** A file that may not grow further is what a full disk is to its writer. */
  @Test
  void leaves_older_artifacts_if_a_file_cannot_grow() throws Exception {
    quantize(MODEL, SCANS);
    Map<String, String> older = content(out);
    String work =
        "ulimit -f 200; exec %s quantize -c %s --model %s --calibration %s --out %s"
            .formatted(installed.command(), spec, SCRIPTED, SCANS, out);

    Run run = new Run.Command("sh", "-c", work).run();

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err().lines().toList())
        .last()
        .isEqualTo("error: " + out + " cannot be written to: File too large");
    assertThat(content(out)).isEqualTo(older);
  }

  /** SIGTERM, since a build that a shell has put into the background makes SIGINT ignored. */
  @Test
  void is_killed_under_a_model_that_does_not_come_to_its_end_and_leaves_older_artifacts()
      throws Exception {
    quantize(MODEL, SCANS);
    Map<String, String> older = content(out);
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path output = folder.resolve("stdout");
    Path errors = folder.resolve("stderr");
    Process process =
        new Run.Command(words(ENDLESS, npz("four", 1, 4, 4), CACHE + folder.resolve("cache")))
            .with("KVANT_JAVA_OPTS", "-Dkvant.patience=1 -Djava.io.tmpdir=" + temporary)
            .start(output, errors);
    waitForForward(process);

    process.destroy();

    Run run = Run.finished(process, output, errors);
    assertThat(run.exitCode()).isEqualTo(128 + 9);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .isEqualTo(
            "interrupted: the model was still running after 1 s, so the process is killed; older"
                + " artifacts are as they were\n");
    assertThat(content(out)).isEqualTo(older);
    assertThat(folder.resolve("cache")).doesNotExist();
    assertThat(content(temporary)).isEmpty();
  }

  /** Waits until it computes: it has used more time than all before takes. */
  private static void waitForForward(Process process) throws InterruptedException {
    while (process.isAlive() && process.info().totalCpuDuration().orElseThrow().toSeconds() < 12) {
      Thread.sleep(100);
    }
    assertThat(process.isAlive()).isTrue();
  }

  private Path npz(String name, float value, int... shape) throws IOException {
    return Npz.write(folder.resolve(name + ".npz"), value, shape);
  }

  private static Path root(String file) {
    return Path.of(System.getProperty("kvant.root")).resolve(file);
  }

  private Object[] words(Object model, Object data, String... overrides) {
    List<Object> words =
        new ArrayList<>(
            List.of(installed.command(), "quantize", "-c", spec, "--model", model, "--out", out));
    words.addAll(List.of("--calibration", data));
    Collections.addAll(words, overrides);
    return words.toArray();
  }

  private Run quantize(Object model, Object data, String... overrides) throws Exception {
    return new Run.Command(words(model, data, overrides)).run();
  }

  private Run calibrate(Object model, Path data, Path statistics, String... overrides)
      throws Exception {
    List<Object> words =
        new ArrayList<>(List.of(installed.command(), "calibrate", "-c", spec, "--model", model));
    words.addAll(List.of("--calibration", data, "--statistics", statistics));
    Collections.addAll(words, overrides);
    return new Run.Command(words.toArray()).run();
  }

  /** All files in a folder with what is in them. */
  private static Map<String, String> content(Path folder) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        content.put(
            folder.relativize(file).toString(),
            Integer.toHexString(Arrays.hashCode(Files.readAllBytes(file))));
      }
    }
    return content;
  }
}
