package dev.kvant.runtime.provenance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvant.api.Artifact;
import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Recipe;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.runtime.calibration.ModelFingerprint;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The file {@value #NAME} beside artifacts: for each run that wrote into the folder the sums of its
 * files, the model, the spec and the versions. Equal runs give equal bytes.
 *
 * @since 0.1.0
 */
@Internal
public final class ArtifactManifest {

  /** The name of the file. */
  public static final String NAME = "kvant-manifest.json";

  private static final String VERSION_KEY = "manifest_version";

  /** Grows when an older reader would misunderstand what is written. */
  private static final int VERSION = 1;

  private static final int MOST_BYTES = 64 << 20;

  private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

  /** How long to wait for another run that writes into the same manifest, in all. */
  private static final int TRIALS = 100;

  private static final long PAUSE_MILLIS = 100;

  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

  private ArtifactManifest() {}

  /**
   * Refuses a folder in which the manifest cannot be kept, before any long work.
   *
   * @throws KvantException if a file of that name is there which is none
   */
  public static void check(Path folder) {
    Path file = folder.resolve(NAME);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      read(folder);
    } catch (KvantException e) {
      throw new KvantException(
          "%s; move it away, or save into another folder".formatted(e.getMessage()), e);
    }
  }

  /**
   * Removes what the manifest says of files that are being replaced. Until {@link #add} they count
   * as files of an unfinished run. Does nothing in a folder without a manifest.
   */
  public static void forget(Path folder, SavedModel saved) {
    if (Files.exists(folder.resolve(NAME))) {
      update(folder, runs -> without(runs, names(folder, saved)));
    }
  }

  /**
   * Adds what a run has written, in place of what the manifest says of these files.
   *
   * @param folder where it is written
   * @param saved the files that were written
   * @param model what they were made from
   * @param config how they were made
   */
  public static void add(
      Path folder, SavedModel saved, QuantizableModel model, ModelQuantizationConfig config) {
    List<RecordedRun.File> files = files(folder, saved);
    if (files.isEmpty()) {
      return;
    }
    RecordedRun run =
        new RecordedRun(
            JarVersion.of(ArtifactManifest.class),
            Runtime.version().toString(),
            saved.report().backend(),
            saved.report().mode().name(),
            ConfigDocument.write(
                new Recipe(
                    config.toBuilder().resultsDir(null).build(),
                    "What the artifacts were made by.",
                    Map.of())),
            source(folder, model),
            files);
    update(
        folder,
        runs -> {
          // A backend may remove what an earlier run wrote about another layout.
          List<RecordedRun> all = new ArrayList<>();
          without(runs, names(folder, saved))
              .forEach(
                  each ->
                      each.only(file -> Files.exists(folder.resolve(file))).ifPresent(all::add));
          all.add(run);
          return all;
        });
  }

  private static List<RecordedRun> without(List<RecordedRun> runs, List<String> names) {
    return runs.stream().flatMap(run -> run.only(file -> !names.contains(file)).stream()).toList();
  }

  private static List<String> names(Path folder, SavedModel saved) {
    return saved.artifacts().stream()
        .map(artifact -> FileSum.name(folder, artifact.path()))
        .toList();
  }

  private static List<RecordedRun.File> files(Path folder, SavedModel saved) {
    List<RecordedRun.File> files = new ArrayList<>();
    for (Artifact artifact : saved.artifacts()) {
      String name = FileSum.name(folder, artifact.path());
      // Whether the backend wrote what it says is for the verification to find.
      if (!NAME.equals(name) && isInside(name) && Files.exists(artifact.path())) {
        files.add(
            new RecordedRun.File(
                FileSum.of(folder, artifact.path()),
                artifact.format(),
                saved.verifications().stream()
                    .filter(verification -> verification.artifact().equals(artifact.path()))
                    .map(Verification::status)
                    .map(status -> status.name().toLowerCase(Locale.ROOT))
                    .findFirst()
                    .orElse(null)));
      }
    }
    return files;
  }

  private static RecordedRun.@Nullable Source source(Path folder, QuantizableModel model) {
    if (!Files.exists(model.source())) {
      return null;
    }
    Path home = home(model.source());
    return new RecordedRun.Source(
        FileSum.name(folder, model.source()),
        model.format(),
        ModelFingerprint.files(model).stream().map(file -> FileSum.of(home, file)).toList());
  }

  /** The folder that the paths of a model's files count from. */
  static Path home(Path model) {
    Path absolute = model.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    return Files.isDirectory(absolute) || parent == null ? absolute : parent;
  }

  private static void update(Path folder, UnaryOperator<List<RecordedRun>> change) {
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Path written = create(transaction);
      List<RecordedRun> known = Files.exists(folder.resolve(NAME)) ? read(folder) : List.of();
      Files.writeString(written, json(change.apply(known)));
      transaction.commit();
    } catch (IOException e) {
      throw new KvantException(
          "%s cannot be written: %s".formatted(folder.resolve(NAME), e.getMessage()), e);
    }
  }

  /** Runs of several backends may write into one folder at once, and meet here for a moment. */
  private static Path create(ArtifactTransaction transaction) {
    for (int i = 1; ; i++) {
      try {
        return transaction.create(NAME);
      } catch (KvantException e) {
        if (i == TRIALS) {
          throw e;
        }
        try {
          Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw e;
        }
      }
    }
  }

  /**
   * Reads the manifest of a folder.
   *
   * @throws KvantException if there is none, it cannot be read, or a newer version wrote it
   */
  static List<RecordedRun> read(Path folder) {
    Path file = folder.resolve(NAME);
    try (InputStream in = RegularFile.stream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new KvantException(
            "%s has more than %d bytes, the most that a manifest may have"
                .formatted(file, MOST_BYTES));
      }
      return parse(new String(bytes, StandardCharsets.UTF_8), file);
    } catch (JsonParseException | IllegalArgumentException | StackOverflowError e) {
      throw new KvantException(
          "%s is not a valid manifest of Kvant: %s"
              .formatted(
                  file,
                  e instanceof StackOverflowError ? "it is nested too deeply" : e.getMessage()),
          e);
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static List<RecordedRun> parse(String text, Path file) {
    JsonObject root = object(JsonParser.parseString(text), "the document");
    long version = number(root, VERSION_KEY);
    if (version > VERSION) {
      throw new KvantException(
          "%s is a manifest of version %d, and this Kvant reads up to %d; use a newer Kvant"
              .formatted(file, version, VERSION));
    }
    return list(root, "runs", ArtifactManifest::run);
  }

  private static RecordedRun run(JsonObject json) {
    return new RecordedRun(
        text(json, "kvant"),
        text(json, "java"),
        text(json, "backend"),
        text(json, "mode"),
        text(json, "spec"),
        isNull(json, "source") ? null : source(object(json.get("source"), "source")),
        list(
            json,
            "files",
            each ->
                new RecordedRun.File(
                    sum(each),
                    text(each, "format"),
                    isNull(each, "verification") ? null : text(each, "verification"))));
  }

  private static RecordedRun.Source source(JsonObject json) {
    return new RecordedRun.Source(
        text(json, "path"), text(json, "format"), list(json, "files", ArtifactManifest::sum));
  }

  private static FileSum sum(JsonObject json) {
    String sha256 = text(json, "sha256");
    if (!SHA_256.matcher(sha256).matches()) {
      throw new IllegalArgumentException("'sha256' is not 64 hexadecimal digits");
    }
    return new FileSum(inside(text(json, "path")), number(json, "bytes"), sha256);
  }

  /** A path that leads nowhere else than into the folder. */
  private static String inside(String path) {
    if (!isInside(path)) {
      throw new IllegalArgumentException("the path '%s' leads out of the folder".formatted(path));
    }
    return path;
  }

  private static boolean isInside(String path) {
    Path parsed = Path.of(path);
    return !path.isEmpty() && !parsed.isAbsolute() && !parsed.normalize().startsWith("..");
  }

  private static boolean isNull(JsonObject json, String key) {
    JsonElement value = json.get(key);
    return value == null || value.isJsonNull();
  }

  private static JsonObject object(@Nullable JsonElement value, String key) {
    if (value == null || !value.isJsonObject()) {
      throw wrong(key);
    }
    return value.getAsJsonObject();
  }

  private static String text(JsonObject json, String key) {
    JsonElement value = json.get(key);
    if (value == null || !value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw wrong(key);
    }
    return value.getAsString();
  }

  private static long number(JsonObject json, String key) {
    JsonElement value = json.get(key);
    if (value == null || !value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
      throw wrong(key);
    }
    return value.getAsLong();
  }

  private static <T> List<T> list(JsonObject json, String key, Function<JsonObject, T> reader) {
    JsonElement value = json.get(key);
    if (value == null || !value.isJsonArray()) {
      throw wrong(key);
    }
    JsonArray array = value.getAsJsonArray();
    List<T> list = new ArrayList<>(array.size());
    array.forEach(element -> list.add(Objects.requireNonNull(reader.apply(object(element, key)))));
    return list;
  }

  private static IllegalArgumentException wrong(String key) {
    return new IllegalArgumentException("'%s' is missing or of another type".formatted(key));
  }

  private static String json(List<RecordedRun> runs) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put(VERSION_KEY, VERSION);
    root.put("runs", runs.stream().map(ArtifactManifest::tree).toList());
    return GSON.toJson(root) + "\n";
  }

  private static Map<String, @Nullable Object> tree(RecordedRun run) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put("kvant", run.kvant());
    tree.put("java", run.java());
    tree.put("backend", run.backend());
    tree.put("mode", run.mode());
    tree.put("source", run.source() == null ? null : tree(run.source()));
    tree.put("files", run.files().stream().map(ArtifactManifest::tree).toList());
    tree.put("spec", run.spec());
    return tree;
  }

  private static Map<String, @Nullable Object> tree(RecordedRun.Source source) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put("path", source.path());
    tree.put("format", source.format());
    tree.put("files", source.files().stream().map(ArtifactManifest::tree).toList());
    return tree;
  }

  private static Map<String, @Nullable Object> tree(RecordedRun.File file) {
    Map<String, @Nullable Object> tree = tree(file.sum());
    tree.put("format", file.format());
    tree.put("verification", file.verification());
    return tree;
  }

  private static Map<String, @Nullable Object> tree(FileSum sum) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put("path", sum.path());
    tree.put("bytes", sum.bytes());
    tree.put("sha256", sum.sha256());
    return tree;
  }
}
