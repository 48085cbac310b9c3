package dev.kvant.runtime.discovery;

import dev.kvant.api.DiscoveryException;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * The plugins in some folders: each sub-folder is one, its jars in a class loader of their own.
 *
 * <p>A file {@code plugin.properties} in the sub-folder may say {@code parent=NAME}: then the
 * plugin sees the classes of the plugin of that name.
 */
final class PluginFolders {

  private static final String PROPERTIES = "plugin.properties";

  /** What of the contract tells that a jar carries a copy of it. */
  private static final List<String> CONTRACT_CLASSES =
      List.of("dev/kvant/api/KvantException.class", "dev/kvant/spi/QuantizationBackend.class");

  private static final List<Class<?>> SERVICES =
      List.of(
          QuantizationBackend.class,
          ModelFormat.class,
          ModelRunnerProvider.class,
          ModelSource.class);

  /** A plugin before it has a loader. */
  private record Folder(String name, Path path, List<URL> jars, @Nullable String parent) {}

  private final ClassLoader application;
  private final Map<String, Folder> folders = new LinkedHashMap<>();
  private final Map<String, PluginClassLoader> loaders = new LinkedHashMap<>();
  private final List<BrokenProvider> broken = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();

  private PluginFolders(ClassLoader application) {
    this.application = application;
  }

  /**
   * Opens the plugins.
   *
   * @param roots folders of plugin folders
   * @param application has the classes that plugins share with the application
   * @throws DiscoveryException if a root is not a folder that can be read
   */
  static PluginFolders open(List<Path> roots, ClassLoader application) {
    PluginFolders plugins = new PluginFolders(application);
    roots.forEach(plugins::readRoot);
    for (Folder folder : plugins.folders.values()) {
      try {
        plugins.loader(folder, new ArrayList<>());
      } catch (DiscoveryException e) {
        plugins.broken.add(
            new BrokenProvider(
                "plugin", folder.name(), folder.path().toString(), e.getMessage(), e));
      }
    }
    return plugins;
  }

  /** The loaders of the plugins that can be used, in order of their names. */
  List<PluginClassLoader> loaders() {
    return List.copyOf(loaders.values());
  }

  /** The plugins that cannot. */
  List<BrokenProvider> broken() {
    return List.copyOf(broken);
  }

  /** What is odd about plugins that work all the same. */
  List<String> remarks() {
    return List.copyOf(remarks);
  }

  private void readRoot(Path root) {
    try (Stream<Path> entries = Files.list(root)) {
      for (Path path : entries.filter(Files::isDirectory).sorted().toList()) {
        try {
          readFolder(path);
        } catch (IOException e) {
          broken.add(
              new BrokenProvider(
                  "plugin",
                  path.getFileName().toString(),
                  path.toString(),
                  "its folder cannot be read: " + e.getMessage(),
                  e));
        }
      }
    } catch (IOException e) {
      throw new DiscoveryException("the plugin folder %s cannot be read: %s".formatted(root, e), e);
    }
  }

  private void readFolder(Path path) throws IOException {
    String name = path.getFileName().toString();
    if (name.startsWith(".")) {
      return;
    }
    List<URL> jars = new ArrayList<>();
    try (Stream<Path> entries = Files.list(path)) {
      for (Path jar :
          entries.filter(entry -> entry.toString().endsWith(".jar")).sorted().toList()) {
        jars.add(url(jar));
      }
    }
    if (jars.isEmpty()) {
      remarks.add("plugin '%s' has no jars in %s".formatted(name, path));
      return;
    }
    Folder earlier = folders.putIfAbsent(name, new Folder(name, path, jars, parent(path)));
    if (earlier != null) {
      throw new DiscoveryException(
          "two plugins are named '%s': %s and %s; rename one"
              .formatted(name, earlier.path(), path));
    }
  }

  private static URL url(Path jar) throws MalformedURLException {
    return jar.toUri().toURL();
  }

  private static @Nullable String parent(Path folder) throws IOException {
    Path file = folder.resolve(PROPERTIES);
    if (!Files.exists(file)) {
      return null;
    }
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException("%s: %s".formatted(PROPERTIES, e.getMessage()), e);
    }
    String parent = properties.getProperty("parent");
    return parent == null || parent.isBlank() ? null : parent.strip();
  }

  private PluginClassLoader loader(Folder folder, List<String> children) {
    PluginClassLoader known = loaders.get(folder.name());
    if (known != null) {
      return known;
    }
    if (children.contains(folder.name())) {
      throw new DiscoveryException(
          "plugins are each other's parent: %s -> %s"
              .formatted(String.join(" -> ", children), folder.name()));
    }
    children.add(folder.name());
    PluginClassLoader parent = null;
    if (folder.parent() != null) {
      Folder parentFolder = folders.get(folder.parent());
      if (parentFolder == null) {
        throw new DiscoveryException(
            "its parent plugin '%s' is not installed; plugins: %s"
                .formatted(folder.parent(), String.join(", ", folders.keySet())));
      }
      parent = loader(parentFolder, children);
    }
    PluginClassLoader loader =
        new PluginClassLoader(folder.name(), folder.jars(), application, parent);
    loaders.put(folder.name(), loader);
    remarkOnCopies(folder, loader);
    remarkOnServices(folder, loader);
    return loader;
  }

  private void remarkOnServices(Folder folder, PluginClassLoader loader) {
    boolean offersSomething =
        SERVICES.stream()
            .anyMatch(service -> loader.findResource(ServiceFiles.name(service)) != null);
    boolean isParent =
        folders.values().stream().anyMatch(other -> folder.name().equals(other.parent()));
    if (!offersSomething && !isParent && jarsAreReadable(folder)) {
      remarks.add(
          ("plugin '%s' offers nothing: its jars have no file META-INF/services/dev.kvant.spi.*; if"
                  + " it is a fat jar, merge these files when it is built instead of keeping one")
              .formatted(folder.name()));
    }
  }

  /** Asked only where something is missing, since opening jars takes time. */
  private boolean jarsAreReadable(Folder folder) {
    boolean areReadable = true;
    for (URL jar : folder.jars()) {
      Path file = Path.of(URI.create(jar.toString()));
      try {
        new ZipFile(file.toFile()).close();
      } catch (IOException e) {
        areReadable = false;
        broken.add(
            new BrokenProvider(
                "plugin",
                folder.name(),
                file.toString(),
                "it cannot be read as a jar: " + e.getMessage(),
                e));
      }
    }
    return areReadable;
  }

  private void remarkOnCopies(Folder folder, PluginClassLoader loader) {
    for (String contractClass : CONTRACT_CLASSES) {
      URL copy = loader.findResource(contractClass);
      if (copy != null) {
        remarks.add(
            ("plugin '%s' carries its own copy of Kvant's api in %s; it is not used, the"
                    + " application's is. Give the plugin's dependencies on kvant-api and kvant-spi"
                    + " the scope 'provided'")
                .formatted(folder.name(), Location.ofResource(copy, contractClass)));
        return;
      }
    }
  }
}
