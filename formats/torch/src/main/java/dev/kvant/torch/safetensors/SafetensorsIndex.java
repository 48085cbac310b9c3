package dev.kvant.torch.safetensors;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.MalformedJsonException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.spi.RegularFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The index of a checkpoint in several safetensors files: which tensor is in which file.
 *
 * @param path the index, usually {@code model.safetensors.index.json}
 * @param shardByTensor the name of the file of each tensor, in the index's order
 * @since 0.1.0
 */
public record SafetensorsIndex(Path path, Map<String, String> shardByTensor) {

  /** The name of the index in a folder. */
  public static final String FILE_NAME = "model.safetensors.index.json";

  private static final String WEIGHT_MAP = "weight_map";

  public SafetensorsIndex {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(shardByTensor, "shardByTensor");
  }

  /**
   * Reads an index.
   *
   * @throws ModelFormatException if it cannot be read or is not an index
   */
  public static SafetensorsIndex read(Path path) {
    try (Reader text = RegularFile.text(path);
        var json = new JsonReader(text)) {
      json.setStrictness(Strictness.STRICT);
      Map<String, String> shards = new LinkedHashMap<>();
      json.beginObject();
      while (json.hasNext()) {
        if (!json.nextName().equals(WEIGHT_MAP)) {
          json.skipValue();
          continue;
        }
        json.beginObject();
        while (json.hasNext()) {
          String tensor = json.nextName();
          if (shards.put(tensor, json.nextString()) != null) {
            throw damaged(path, "tensor '%s' comes twice".formatted(tensor), null);
          }
        }
        json.endObject();
      }
      json.endObject();
      if (shards.isEmpty()) {
        throw damaged(path, "its '%s' names no tensor".formatted(WEIGHT_MAP), null);
      }
      return new SafetensorsIndex(path, shards);
    } catch (MalformedJsonException | EOFException | IllegalStateException e) {
      throw damaged(path, "its text is not the JSON that the format requires", e);
    } catch (CharacterCodingException e) {
      throw damaged(path, "its text is not UTF-8", e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /**
   * The files in the index, each once, in the order of their names.
   *
   * @throws ModelFormatException if some are missing
   */
  public List<Path> shards() {
    List<String> names = shardByTensor.values().stream().distinct().sorted().toList();
    for (String name : names) {
      if (name.isEmpty() || name.matches("(?s).*[/\\\\\\p{Cntrl}].*")) {
        throw damaged(path, "it names '%s', which is not a file beside it".formatted(name), null);
      }
    }
    List<Path> shards = names.stream().map(path::resolveSibling).toList();
    List<Path> missing = shards.stream().filter(shard -> !Files.exists(shard)).toList();
    if (!missing.isEmpty()) {
      throw new ModelFormatException(
          "%s names missing files: %s; download them too"
              .formatted(
                  path,
                  Printable.shortened(
                      missing.stream().map(Path::getFileName).toList().toString())));
    }
    return shards;
  }

  /** Whether the index places that tensor in that file. */
  public boolean places(String tensor, Path shard) {
    String name = shardByTensor.get(tensor);
    return name != null && path.resolveSibling(name).equals(shard);
  }

  /**
   * Checks that every tensor of the index was found.
   *
   * @throws ModelFormatException if some were not
   */
  public void check(Set<String> found) {
    Optional<String> missing =
        shardByTensor.keySet().stream().filter(tensor -> !found.contains(tensor)).findFirst();
    if (missing.isPresent()) {
      throw new ModelFormatException(
          "%s places tensor '%s' in %s, which does not contain it; download both again"
              .formatted(
                  path,
                  Printable.shortened(missing.get()),
                  Printable.shortened(String.valueOf(shardByTensor.get(missing.get())))));
    }
  }

  private static ModelFormatException damaged(Path path, String what, @Nullable Exception cause) {
    return new ModelFormatException(
        "%s is not an index of safetensors files: %s".formatted(path, Printable.shortened(what)),
        cause);
  }
}
