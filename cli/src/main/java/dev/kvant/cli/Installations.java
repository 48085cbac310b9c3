package dev.kvant.cli;

import dev.kvant.api.QuantizationListener;
import dev.kvant.runtime.Kvant;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where plugins are, and what opens Kvant with them.
 *
 * @param own the folder of plugins of the distribution, or null where the command runs without one
 * @param named further folders of plugins, which the user names
 */
record Installations(@Nullable Path own, List<Path> named) {

  /** The system property that names the folder of the installation. */
  static final String HOME_PROPERTY = "kvant.home";

  /** The environment variable that names further folders of plugins. */
  static final String PLUGINS_VARIABLE = "KVANT_PLUGINS";

  Installations {
    named = List.copyOf(named);
  }

  /** Where only those plugins are that the user names. */
  Installations(List<Path> named) {
    this(null, named);
  }

  /** What this process was started with. */
  static Installations ofProcess(Map<String, String> environment, Properties properties) {
    String home = properties.getProperty(HOME_PROPERTY);
    return new Installations(
        home == null ? null : Path.of(home, "plugins"),
        Pattern.compile(File.pathSeparator, Pattern.LITERAL)
            .splitAsStream(environment.getOrDefault(PLUGINS_VARIABLE, ""))
            .filter(name -> !name.isBlank())
            .map(Path::of)
            .toList());
  }

  /** All folders of plugins. */
  List<Path> directories() {
    List<Path> directories = new ArrayList<>();
    if (own != null) {
      directories.add(own);
    }
    directories.addAll(named);
    return directories;
  }

  /** The folders that are not there. */
  List<Path> missing() {
    return directories().stream().filter(directory -> !Files.isDirectory(directory)).toList();
  }

  /** What to do about a folder that is not there. */
  String remedy(Path missing) {
    return missing.equals(own)
        ? "unpack the distribution again"
        : "create it or correct the environment variable " + PLUGINS_VARIABLE;
  }

  /** Opens Kvant with all plugins. */
  Kvant open(QuantizationListener listener) {
    Kvant.Builder builder = Kvant.builder().listener(listener);
    directories().stream().filter(Files::isDirectory).forEach(builder::pluginDirectory);
    return builder.build();
  }
}
