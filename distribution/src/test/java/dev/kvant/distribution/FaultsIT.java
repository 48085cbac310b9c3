package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the command does when the machine fails it. The full disk and the read-only one are in
 * {@link StaticQuantizationIT}.
 */
@DisplayName("Whatever happens to the process, artifacts are whole, and those of one run")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "it is about signals and limits of POSIX")
class FaultsIT {

  private static final int SHARDS = 3;
  private static final int TENSORS = 6;
  private static final int SIDE = 512;
  private static final int POINTS = 20;

  /** How many of the points must have met the process at work, on a machine of any speed. */
  private static final int LEAST_KILLED = 10;

  private static final int ENOUGH_FILES = 128;

  @TempDir private static Path unpacked;
  @TempDir private Path folder;

  private static Installed installed = new Installed(Path.of(""));
  private static Path checkpoint = Path.of("");

  @BeforeAll
  static void unpack() throws IOException {
    installed = Installed.into(unpacked);
    checkpoint = Files.createDirectory(unpacked.resolve("checkpoint"));
    var random = new Random(1);
    Map<String, String> shards = new LinkedHashMap<>();
    for (int shard = 1; shard <= SHARDS; shard++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(shard, SHARDS);
      writeShard(checkpoint.resolve(name), shard, random, shards);
    }
    List<String> entries = new ArrayList<>();
    shards.forEach((tensor, file) -> entries.add("\"%s\": \"%s\"".formatted(tensor, file)));
    Files.writeString(
        checkpoint.resolve("model.safetensors.index.json"),
        "{\"metadata\": {}, \"weight_map\": {%s}}".formatted(String.join(", ", entries)));
    Files.writeString(checkpoint.resolve("config.json"), "{\"model_type\": \"toy\"}");
  }

  private static void writeShard(Path file, int shard, Random random, Map<String, String> shards)
      throws IOException {
    int bytes = SIDE * SIDE * Float.BYTES;
    List<String> entries = new ArrayList<>();
    for (int i = 0; i < TENSORS; i++) {
      String name = "layers.%d.fc%d.weight".formatted(shard, i);
      entries.add(
          "\"%s\": {\"dtype\": \"F32\", \"shape\": [%d, %d], \"data_offsets\": [%d, %d]}"
              .formatted(name, SIDE, SIDE, i * bytes, (i + 1) * bytes));
      shards.put(name, file.getFileName().toString());
    }
    byte[] header = "{%s}".formatted(String.join(", ", entries)).getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(header.length)
              .array());
      out.write(header);
      ByteBuffer values = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < TENSORS; i++) {
        values.clear();
        while (values.hasRemaining()) {
          values.putFloat((float) random.nextGaussian());
        }
        out.write(values.array());
      }
    }
  }

  private Run.Command quantize(Path model, String dtype, Path out) {
    return new Run.Command(
        installed.command(),
        "quantize",
        model,
        "--backend",
        "compressed-tensors",
        "--mode",
        "weight_only_ptq",
        "--dtype",
        dtype,
        "--out",
        out,
        "--no-verify");
  }

  private static void assertDone(Run run) {
    assertThat(run.exitCode()).as(run.err()).isZero();
  }

  private Run verify(Path out) throws Exception {
    return new Run.Command(installed.command(), "verify", out).run();
  }

  /** The files of a folder with what they hold; those that are hidden by their names alone. */
  private static Map<String, String> content(Path folder) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        content.put(
            name,
            name.startsWith(".")
                ? ""
                : new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
    return content;
  }

  private static long bytes(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.mapToLong(FaultsIT::size).sum();
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException movedMeanwhile) {
      return 0;
    }
  }

  /** Whether something became true while the process ran. */
  private static boolean reached(Process process, BooleanSupplier point) {
    while (process.isAlive()) {
      if (point.getAsBoolean()) {
        return process.isAlive();
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private static void signal(String signal, Process process) throws Exception {
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
  }

  private Process start(Run.Command command, String name) throws IOException {
    return command.start(folder.resolve(name + ".out"), folder.resolve(name + ".err"));
  }

  private Run finished(Process process, String name) throws Exception {
    return Run.finished(process, folder.resolve(name + ".out"), folder.resolve(name + ".err"));
  }

  @Test
  void killed_at_twenty_points_it_leaves_one_set_of_artifacts_and_the_next_run_no_trace()
      throws Exception {
    Path out = folder.resolve("results");
    Path reference = folder.resolve("reference");
    assertDone(quantize(checkpoint, "fp8_e4m3fn", reference).run());
    assertDone(quantize(checkpoint, "int8", out).run());
    Map<String, String> newer = artifacts(content(reference));
    Map<String, String> older = artifacts(content(out));
    long present = bytes(out);
    long total = bytes(reference);
    int killed = 0;
    for (int point = 0; point < POINTS; point++) {
      long enough = present + 1 + total * point / (POINTS - 4);
      Object before = key(out.resolve("config.json"));
      // The last points are after all bytes: from where files are put into place.
      boolean isLate = point >= POINTS - 4;
      Process process = start(quantize(checkpoint, "fp8_e4m3fn", out), "killed");
      boolean met =
          reached(
              process,
              isLate
                  ? () -> !Objects.equals(before, key(out.resolve("config.json")))
                  : () -> bytes(out) >= enough);
      signal("KILL", process);
      process.waitFor();
      killed += met && process.exitValue() == 128 + 9 ? 1 : 0;

      Map<String, String> left = content(out);
      Map<String, String> artifacts = artifacts(left);
      boolean isBetween = left.keySet().stream().anyMatch(FaultsIT::saysHowToGoBack);
      for (String name : older.keySet()) {
        assertThat(artifacts.get(name)).as(name).isIn(older.get(name), newer.get(name));
      }
      if (!isBetween) {
        assertThat(artifacts).as("point %d", point).isIn(older, newer);
      }
      if (!artifacts.equals(older)) {
        assertDone(quantize(checkpoint, "int8", out).run());
        assertThat(artifacts(content(out))).isEqualTo(older);
      }
    }
    assertThat(killed).isGreaterThanOrEqualTo(LEAST_KILLED);

    assertDone(quantize(checkpoint, "fp8_e4m3fn", out).run());

    assertThat(content(out).keySet()).isEqualTo(content(reference).keySet());
    assertThat(artifacts(content(out))).isEqualTo(newer);
    assertThat(verify(out).exitCode()).isZero();
  }

  /** Without what was not put into place yet, the manifest and the spec, which name the folder. */
  private static Map<String, String> artifacts(Map<String, String> content) {
    Map<String, String> artifacts = new TreeMap<>(content);
    artifacts.keySet().removeIf(name -> name.startsWith("."));
    artifacts.keySet().removeAll(List.of("kvant-manifest.json", "spec.yaml"));
    return artifacts;
  }

  private static boolean saysHowToGoBack(String name) {
    return name.endsWith(".old") || name.endsWith(".new");
  }

  private static @Nullable Object key(Path file) {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    } catch (IOException movedMeanwhile) {
      return null;
    }
  }

  /** How somebody changes a model that is being read. */
  enum Change {
    REPLACED,
    OVERWRITTEN,
    CUT_SHORT;

    void apply(Path file) throws IOException {
      switch (this) {
        case REPLACED -> {
          Path other = Files.copy(file, file.resolveSibling("other"));
          Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        }
        case OVERWRITTEN -> Files.write(file, Files.readAllBytes(file));
        default -> {
          try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(file) / 2);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"REPLACED", "OVERWRITTEN", "CUT_SHORT"})
  void it_writes_nothing_from_a_model_that_is_changed_while_it_is_read(Change change)
      throws Exception {
    Path model = Files.createDirectory(folder.resolve("model"));
    try (Stream<Path> files = Files.list(checkpoint)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    Path out = folder.resolve("results");
    assertDone(quantize(model, "int8", out).run());
    Map<String, String> older = content(out);
    long present = bytes(out);
    Process process = start(quantize(model, "fp8_e4m3fn", out), "changed");
    assertThat(reached(process, () -> bytes(out) > present + SIDE)).isTrue();
    signal("STOP", process);
    change.apply(model.resolve("model-00003-of-00003.safetensors"));

    signal("CONT", process);

    Run run = finished(process, "changed");
    assertThat(run.exitCode()).as(run.err()).isEqualTo(1);
    assertThat(run.err())
        .contains("error: ", "model-00003-of-00003.safetensors")
        .doesNotContain("This is a bug");
    assertThat(content(out)).isEqualTo(older);
  }

  @Test
  void a_second_run_into_the_folder_is_refused_and_told_who_writes() throws Exception {
    Path out = folder.resolve("results");
    Process first = start(quantize(checkpoint, "int8", out), "first");
    assertThat(reached(first, () -> bytes(out) > SIDE)).isTrue();
    signal("STOP", first);

    Run second = quantize(checkpoint, "fp8_e4m3fn", out).run();

    signal("CONT", first);
    assertThat(second.exitCode()).isEqualTo(1);
    assertThat(second.err())
        .contains("is being written by process " + first.pid(), "wait for its end")
        .hasLineCount(1);
    assertDone(finished(first, "first"));
    assertThat(verify(out).exitCode()).isZero();
    assertThat(content(out).keySet()).noneMatch(name -> name.startsWith("."));
  }

  @Test
  void a_folder_that_cannot_be_written_is_named() throws Exception {
    Path out = Files.createDirectory(folder.resolve("results"));
    Files.setPosixFilePermissions(out, PosixFilePermissions.fromString("r-xr-xr-x"));
    assumeThat(Files.isWritable(out)).as("this user may write everywhere").isFalse();

    Run run = quantize(checkpoint, "int8", out).run();

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains(out + ": permission denied").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 127, 128})
  void too_few_files_that_may_be_open_are_named(int limit) throws Exception {
    Path out = folder.resolve("results");
    String work =
        "ulimit -n %d; exec %s quantize %s --out %s"
            .formatted(limit, installed.command(), model("transformer_traced.pt"), out);

    Run run = new Run.Command("sh", "-c", work).run();

    if (limit < ENOUGH_FILES) {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.err())
          .isEqualTo(
              "error: the limit of open files is %d, but kvant needs %d; raise it, for instance with 'ulimit -n 1024'\n",
              limit, ENOUGH_FILES);
      assertThat(out).doesNotExist();
    } else {
      assertDone(run);
      assertThat(verify(out).exitCode()).isZero();
    }
  }

  private static Path model(String name) {
    return Path.of(System.getProperty("kvant.root")).resolve("examples/digits/models/" + name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet.onnx", "resnet_traced.pt", "resnet.safetensors"})
  void without_a_folder_for_temporary_files_it_says_what_it_could_not_do(String model)
      throws Exception {
    Path nowhere = folder.resolve("nowhere");
    Path out = folder.resolve("results");

    Run run =
        new Run.Command(installed.command(), "quantize", model(model), "--out", out)
            .with("KVANT_JAVA_OPTS", "-Djava.io.tmpdir=" + nowhere)
            .run();

    assertThat(run.err()).doesNotContain("This is a bug");
    if (run.exitCode() == 0) {
      assertThat(verify(out).exitCode()).isZero();
    } else {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.err()).contains(nowhere.toString());
      assertThat(out).doesNotExist();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet.onnx", "resnet_traced.pt", "resnet.safetensors"})
  void in_turkish_it_writes_the_same_bytes(String model) throws Exception {
    Path english = folder.resolve("english");
    Path turkish = folder.resolve("turkish");
    assertDone(
        new Run.Command(installed.command(), "quantize", model(model), "--out", english).run());

    Run run =
        new Run.Command(installed.command(), "quantize", model(model), "--out", turkish)
            .with("KVANT_JAVA_OPTS", "-Duser.language=tr -Duser.country=TR")
            .run();

    assertDone(run);
    assertThat(artifacts(content(turkish))).isEqualTo(artifacts(content(english)));
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 10, 16})
  void too_little_memory_is_named_and_older_artifacts_stay(int megabytes) throws Exception {
    Path out = folder.resolve("results");
    assertDone(quantize(checkpoint, "int8", out).run());
    Map<String, String> older = artifacts(content(out));

    Run run =
        quantize(checkpoint, "fp8_e4m3fn", out)
            .with("KVANT_JAVA_OPTS", "-Xmx%dm".formatted(megabytes))
            .run();

    if (run.exitCode() == 0) {
      assertThat(verify(out).exitCode()).isZero();
    } else {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.out() + run.err())
          .containsIgnoringCase("heap")
          .doesNotContain("This is a bug");
      assertThat(artifacts(content(out))).isEqualTo(older);
      assertThat(content(out).keySet()).noneMatch(name -> name.startsWith("."));
    }
  }
}
