package dev.kvant.cli;

import com.google.inject.Binder;
import com.google.inject.Guice;
import com.google.inject.Injector;
import com.google.inject.multibindings.Multibinder;
import dev.kvant.api.QuantizationListener;
import dev.kvant.guice.KvantLifetime;
import dev.kvant.guice.KvantModule;
import dev.kvant.guice.PluginDirectory;
import dev.kvant.runtime.Kvant;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * Where plugins are, and what opens Kvant with them.
 *
 * @param directories folders of plugin folders
 */
record Installations(List<Path> directories) {

  /** The system property that names the folder of the installation. */
  static final String HOME_PROPERTY = "kvant.home";

  /** The environment variable that names further folders of plugins. */
  static final String PLUGINS_VARIABLE = "KVANT_PLUGINS";

  Installations {
    directories = List.copyOf(directories);
  }

  /** What this process was started with. */
  static Installations ofProcess(Map<String, String> environment, Properties properties) {
    List<Path> directories = new ArrayList<>();
    String home = properties.getProperty(HOME_PROPERTY);
    if (home != null) {
      directories.add(Path.of(home, "plugins"));
    }
    Pattern.compile(File.pathSeparator, Pattern.LITERAL)
        .splitAsStream(environment.getOrDefault(PLUGINS_VARIABLE, ""))
        .filter(name -> !name.isBlank())
        .map(Path::of)
        .forEach(directories::add);
    return new Installations(directories);
  }

  /** The folders that are not there. */
  List<Path> missing() {
    return directories.stream().filter(directory -> !Files.isDirectory(directory)).toList();
  }

  /** Opens Kvant with all plugins. */
  OpenedKvant open(QuantizationListener listener) {
    Injector injector =
        Guice.createInjector(new KvantModule(), binder -> contribute(binder, listener));
    return new OpenedKvant(
        injector.getInstance(Kvant.class), injector.getInstance(KvantLifetime.class));
  }

  private void contribute(Binder binder, QuantizationListener listener) {
    Multibinder.newSetBinder(binder, QuantizationListener.class).addBinding().toInstance(listener);
    Multibinder<Path> plugins = Multibinder.newSetBinder(binder, Path.class, PluginDirectory.class);
    directories.stream()
        .filter(Files::isDirectory)
        .forEach(directory -> plugins.addBinding().toInstance(directory));
  }
}
