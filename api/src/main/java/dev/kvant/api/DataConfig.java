package dev.kvant.api;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A data set on disk: where it is, and the settings of the data reader that reads it.
 *
 * @param path the file or folder
 * @param reader the id of the data reader, or null to choose it by the settings and the path
 * @param options settings of the data reader, which rejects what it does not know; a map inside of
 *     it holds settings whose keys share a prefix: {@code images: {size: 224}} is {@code
 *     images.size: 224}
 * @since 0.1.0
 */
public record DataConfig(Path path, @Nullable String reader, Map<String, Object> options) {

  /**
   * Checks and copies the components.
   *
   * @throws NullPointerException if the path, a key or a value is null
   */
  public DataConfig {
    Objects.requireNonNull(path, "path");
    Map<String, Object> flat = new LinkedHashMap<>();
    flatten("", options, flat);
    options = Collections.unmodifiableMap(flat);
  }

  private static void flatten(String prefix, Map<?, ?> options, Map<String, Object> flat) {
    options.forEach(
        (key, value) -> {
          String name = prefix + Objects.requireNonNull(key, "key");
          if (value instanceof Map<?, ?> section) {
            flatten(name + ".", section, flat);
          } else {
            flat.put(name, Objects.requireNonNull(value, name));
          }
        });
  }

  /** A data set that needs no settings. */
  public static DataConfig of(Path path) {
    return new DataConfig(path, null, Map.of());
  }

  /** With one more setting, which replaces an earlier one of that key. */
  public DataConfig with(String key, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(options);
    more.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(value, "value"));
    return new DataConfig(path, reader, more);
  }

  /** Read by that data reader. */
  public DataConfig readBy(String id) {
    return new DataConfig(path, Objects.requireNonNull(id, "id"), options);
  }
}
