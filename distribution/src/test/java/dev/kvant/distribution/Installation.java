package dev.kvant.distribution;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The ways in which Kvant and a jar of someone else's get into one Java. */
enum Installation {
  CLASS_PATH {
    @Override
    List<String> java(Installed kvant, Path jar, Path folder) {
      return List.of("-cp", joined(jars(kvant), List.of(jar)), MAIN);
    }
  },

  MODULE_PATH {
    @Override
    List<String> java(Installed kvant, Path jar, Path folder) {
      // The jar of the native library has a name that Java takes for no module's.
      List<Path> all = jars(kvant);
      List<Path> natives = all.stream().filter(Installation::isNative).toList();
      List<Path> modules = all.stream().filter(each -> !isNative(each)).toList();
      return List.of(
          "-p",
          joined(modules, List.of(jar)),
          "-cp",
          joined(natives, List.of()),
          "--add-modules",
          "ALL-MODULE-PATH",
          "-m",
          "dev.kvant.cli/" + MAIN);
    }
  },

  FAT_JAR {
    @Override
    List<String> java(Installed kvant, Path jar, Path folder) throws IOException {
      Path fat = Files.copy(fatJar(kvant), folder.resolve("fat.jar"));
      try (FileSystem to = FileSystems.newFileSystem(fat)) {
        pour(jar, to.getPath("/"));
      }
      return List.of("-cp", fat.toString(), MAIN);
    }
  },

  PLUGIN_FOLDERS {
    @Override
    List<String> java(Installed kvant, Path jar, Path folder) throws IOException {
      Path plugin = Files.createDirectories(folder.resolve("plugins").resolve("other"));
      Files.copy(jar, plugin.resolve("other.jar"));
      return List.of(
          "-Dkvant.home=" + kvant.home(), "-cp", kvant.home().resolve("lib") + "/*", MAIN);
    }
  };

  private static final String MAIN = "dev.kvant.cli.Main";

  /**
   * What stands behind the word java.
   *
   * @param kvant the distribution
   * @param jar the other jar
   * @param folder for what must be made; its folder {@code plugins} is one for plugins
   */
  abstract List<String> java(Installed kvant, Path jar, Path folder) throws IOException;

  /** All of Kvant in one jar, beside its home; made once. */
  private static Path fatJar(Installed kvant) throws IOException {
    Path fat = kvant.home().resolveSibling("kvant-fat.jar");
    if (!Files.exists(fat)) {
      try (FileSystem to = FileSystems.newFileSystem(fat, Map.of("create", "true"))) {
        for (Path jar : jars(kvant)) {
          // Large, and of no use to who only looks at backends.
          if (!isNative(jar) && !jar.toString().contains("onnxruntime")) {
            pour(jar, to.getPath("/"));
          }
        }
      }
    }
    return fat;
  }

  private static List<Path> jars(Installed kvant) {
    try (Stream<Path> files = Files.walk(kvant.home())) {
      // A library that several plugins bring along is needed once.
      return List.copyOf(
          files
              .filter(file -> file.toString().endsWith(".jar"))
              .sorted()
              .collect(
                  Collectors.toMap(
                      file -> file.getFileName().toString(), file -> file, (one, other) -> one))
              .values());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isNative(Path jar) {
    return jar.getFileName().toString().startsWith("pytorch-native-");
  }

  private static String joined(List<Path> some, List<Path> others) {
    return Stream.concat(some.stream(), others.stream())
        .map(Path::toString)
        .collect(Collectors.joining(System.getProperty("path.separator")));
  }

  /** Services files are put together; what says something about one jar only is left out. */
  private static void pour(Path jar, Path to) throws IOException {
    try (FileSystem from = FileSystems.newFileSystem(jar);
        Stream<Path> entries = Files.walk(from.getPath("/"))) {
      for (Path entry : entries.toList()) {
        String name = entry.toString().substring(1);
        Path target = to.resolve(name);
        if (Files.isDirectory(entry)) {
          Files.createDirectories(target);
        } else if (name.startsWith("META-INF/services/")) {
          Files.createDirectories(target.getParent());
          Files.write(
              target,
              (Files.readString(entry) + "\n").getBytes(StandardCharsets.UTF_8),
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
        } else if (!name.endsWith("module-info.class")
            && !name.matches("META-INF/[^/]+\\.(MF|SF|RSA|DSA|EC)")) {
          Files.copy(entry, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }
}
