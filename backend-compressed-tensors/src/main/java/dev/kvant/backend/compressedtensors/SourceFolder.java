package dev.kvant.backend.compressedtensors;

import com.google.gson.JsonElement;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizableModel;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The files around a checkpoint: its {@code config.json}, the index of its shards, and what else is
 * in its folder.
 *
 * @param folder where the files are
 * @param config the content of {@code config.json}; empty if there is none
 * @param shards the name of the file of each tensor; empty for a checkpoint of one file
 * @param others the files to copy, by their paths within the folder
 * @param skipped what is not copied, as people write it
 */
record SourceFolder(
    Path folder,
    JsonText config,
    Map<String, String> shards,
    List<Path> others,
    List<String> skipped) {

  static final String CONFIG = "config.json";
  static final String INDEX = "model.safetensors.index.json";

  /** Files that hold the weights, in this format or another. */
  private static final Pattern WEIGHTS =
      Pattern.compile(
          "(?s).*\\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|onnx|onnx_data|msgpack|h5|tflite|pdparams|npz|index\\.json)");

  /**
   * The files around a model. Beside a model that is a folder, all that is in it: other weights
   * than those that were opened are skipped. Beside a file, {@code config.json} alone.
   *
   * @throws ModelFormatException if {@code config.json} or the index is damaged
   */
  static SourceFolder of(QuantizableModel model) {
    Path source = model.source().toAbsolutePath();
    boolean isFolder = Files.isDirectory(source);
    Path folder = isFolder ? source : source.resolveSibling("");
    Path index = isFolder ? folder.resolve(INDEX) : source;
    boolean hasIndex = Files.isRegularFile(index) && index.toString().endsWith(".json");
    Map<String, String> shards = hasIndex ? shards(index) : Map.of();
    Set<String> opened = new HashSet<>(shards.values());
    opened.add(hasIndex ? INDEX : OutputFolder.MODEL);
    var files = new Others(folder, opened);
    if (isFolder) {
      files.collect(folder);
    }
    return new SourceFolder(
        folder,
        Files.exists(folder.resolve(CONFIG))
            ? JsonText.read(folder.resolve(CONFIG))
            : JsonText.EMPTY,
        shards,
        files.copied,
        files.skipped);
  }

  private static Map<String, String> shards(Path index) {
    JsonElement places = JsonText.read(index).object().get("weight_map");
    Map<String, String> shards = new HashMap<>();
    if (places != null && places.isJsonObject()) {
      places
          .getAsJsonObject()
          .asMap()
          .forEach((tensor, file) -> shards.put(tensor, file.getAsString()));
    }
    return shards;
  }

  /** Collects the files of a folder and of the folders in it. */
  private static final class Others {

    private final Path root;
    private final Set<String> opened;
    private final List<Path> copied = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();

    /**
     * Of a folder.
     *
     * @param opened the paths within it of the files that are the model
     */
    Others(Path root, Set<String> opened) {
      this.root = root;
      this.opened = opened;
    }

    void collect(Path folder) {
      List<Path> entries = new ArrayList<>();
      try (DirectoryStream<Path> listed = Files.newDirectoryStream(folder)) {
        listed.forEach(entries::add);
      } catch (IOException e) {
        throw new ModelFormatException("%s cannot be read: %s".formatted(folder, e), e);
      }
      entries.sort(null);
      entries.forEach(this::add);
    }

    private void add(Path entry) {
      Path path = root.relativize(entry);
      boolean isHidden = entry.getFileName().toString().startsWith(".");
      if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
        if (isHidden) {
          skipped.add(path + " (hidden)");
        } else {
          collect(entry);
        }
      } else if (!Files.isRegularFile(entry)) {
        skipped.add(path + " (not a file)");
      } else if (isHidden) {
        skipped.add(path + " (hidden)");
      } else if (path.toString().equals(CONFIG)) {
        // Written anew.
        return;
      } else if (WEIGHTS.matcher(path.getFileName().toString()).matches()) {
        if (!opened.contains(path.toString())) {
          skipped.add(path + " (weights)");
        }
      } else {
        copied.add(path);
      }
    }
  }
}
