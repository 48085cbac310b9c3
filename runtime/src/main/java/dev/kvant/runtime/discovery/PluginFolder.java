package dev.kvant.runtime.discovery;

import dev.kvant.spi.RegularFile;
import dev.kvant.validation.NearestNames;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A plugin before it has a loader: a folder of jars, with what its file {@code plugin.properties}
 * says, if there is one.
 *
 * @param name the name of the folder
 * @param path the folder
 * @param jars the jars in it, in order of their names
 * @param parent the name of the plugin whose classes it sees, or null if it names none
 * @param sharedPackages packages that plugins on top of it take from it even where they have a copy
 */
record PluginFolder(
    String name, Path path, List<Path> jars, @Nullable String parent, List<String> sharedPackages) {

  static final String PROPERTIES = "plugin.properties";

  private static final String PARENT = "parent";
  private static final String SHARES = "shares";
  private static final List<String> KEYS = List.of(PARENT, SHARES);

  PluginFolder {
    jars = List.copyOf(jars);
    sharedPackages = List.copyOf(sharedPackages);
  }

  /**
   * Reads a folder.
   *
   * @throws IOException if the folder or its properties cannot be read
   * @throws IllegalArgumentException if the properties have an unknown key
   */
  static PluginFolder read(Path path) throws IOException {
    Properties properties = properties(path.resolve(PROPERTIES));
    String parent = properties.getProperty(PARENT, "").strip();
    return new PluginFolder(
        path.getFileName().toString(),
        path,
        jarsIn(path),
        parent.isEmpty() ? null : parent,
        Arrays.stream(properties.getProperty(SHARES, "").split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .toList());
  }

  /** The jars that lie in a folder itself. */
  static List<Path> jarsIn(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.toString().endsWith(".jar") && !Files.isDirectory(entry))
          .sorted()
          .toList();
    }
  }

  private static Properties properties(Path file) throws IOException {
    Properties properties = new Properties();
    if (!Files.exists(file)) {
      return properties;
    }
    try (InputStream in = RegularFile.stream(file)) {
      properties.load(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException("%s: %s".formatted(PROPERTIES, e.getMessage()), e);
    }
    for (String key : properties.stringPropertyNames()) {
      if (!KEYS.contains(key)) {
        List<String> nearest = NearestNames.of(key, KEYS, 1);
        throw new IllegalArgumentException(
            "%s: the key '%s' is unknown; %s"
                .formatted(
                    PROPERTIES,
                    key,
                    nearest.isEmpty()
                        ? "known are " + String.join(", ", KEYS)
                        : "did you mean '" + nearest.get(0) + "'?"));
      }
    }
    return properties;
  }

  /** Whether a file of that name is in one of the jars. */
  boolean has(String file) {
    return jars.stream().anyMatch(jar -> has(jar, file));
  }

  private static boolean has(Path jar, String file) {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.getEntry(file) != null;
    } catch (IOException e) {
      // What cannot be read has nothing.
      return false;
    }
  }

  /** Where the jars are, for a class loader. */
  URL[] urls() {
    return jars.stream().map(PluginFolder::url).toArray(URL[]::new);
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(jar + " has no URL", e);
    }
  }
}
