package dev.kvant.runtime.discovery;

import dev.kvant.api.DiscoveryException;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/**
 * The plugins in some folders: each sub-folder is one, its jars in a class loader of their own.
 *
 * <p>A file {@code plugin.properties} in the sub-folder may say {@code parent=NAME}: then the
 * plugin sees the classes of the plugin of that name. With {@code shares=PACKAGE,PACKAGE} plugins
 * that see it use its version of these packages, even where they have one.
 */
final class PluginFolders {

  /** What of the contract tells that a jar carries a copy of it. */
  private static final List<String> CONTRACT_CLASSES =
      List.of("dev/kvant/api/KvantException.class", "dev/kvant/spi/QuantizationBackend.class");

  /** What a plugin can provide. */
  static final List<Class<?>> SERVICES =
      List.of(
          QuantizationBackend.class,
          ModelFormat.class,
          ModelRunnerProvider.class,
          ModelSource.class,
          DataReaderProvider.class);

  private final ClassLoader application;
  private final Map<String, PluginFolder> folders = new LinkedHashMap<>();
  private final Collection<PluginFolder> all = Collections.unmodifiableCollection(folders.values());
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
    for (PluginFolder folder : plugins.folders.values()) {
      try {
        plugins.loader(folder, new ArrayList<>());
      } catch (DiscoveryException e) {
        plugins.broken.add(broken(folder.path(), e.getMessage(), e));
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

  /** The plugins that can be used, ordered by name. */
  List<InstalledPlugin> installed() {
    return loaders.keySet().stream()
        .sorted()
        .map(folders::get)
        .filter(Objects::nonNull)
        .map(
            folder -> new InstalledPlugin(folder.name(), folder.path().toString(), folder.parent()))
        .toList();
  }

  /**
   * What is odd about versions of libraries in plugins that build on others. This reads the jars,
   * so it is for those who ask.
   */
  List<String> remarksOnCopies() {
    List<String> remarks = new ArrayList<>();
    for (String name : loaders.keySet()) {
      PluginFolder folder = Objects.requireNonNull(folders.get(name));
      PluginClassLoader parent = folder.parent() == null ? null : loaders.get(folder.parent());
      if (parent != null) {
        remarks.addAll(new PluginCopies(ancestors(folder)).remarks(folder, parent::shares));
      }
    }
    return remarks;
  }

  private List<PluginFolder> ancestors(PluginFolder folder) {
    List<PluginFolder> ancestors = new ArrayList<>();
    PluginFolder at = folder.parent() == null ? null : folders.get(folder.parent());
    while (at != null) {
      ancestors.add(at);
      at = at.parent() == null ? null : folders.get(at.parent());
    }
    return ancestors;
  }

  private void readRoot(Path root) {
    if (!Files.exists(root)) {
      throw new DiscoveryException("the plugin folder %s does not exist".formatted(root));
    }
    try (Stream<Path> entries = Files.list(root)) {
      for (Path path : entries.filter(Files::isDirectory).sorted().toList()) {
        try {
          readFolder(path);
        } catch (IOException e) {
          broken.add(broken(path, "its folder cannot be read: " + e.getMessage(), e));
        } catch (IllegalArgumentException e) {
          broken.add(broken(path, String.valueOf(e.getMessage()), e));
        }
      }
      for (Path jar : PluginFolder.jarsIn(root)) {
        String name = jar.getFileName().toString().replaceFirst("\\.jar$", "");
        remarks.add(
            "%s is not used: a plugin is a folder of jars; move it to %s"
                .formatted(jar, root.resolve(name).resolve(jar.getFileName())));
      }
    } catch (IOException e) {
      throw new DiscoveryException("the plugin folder %s cannot be read: %s".formatted(root, e), e);
    }
  }

  private static BrokenProvider broken(Path folder, String reason, Exception cause) {
    return new BrokenProvider(
        "plugin", folder.getFileName().toString(), folder.toString(), reason, cause);
  }

  private void readFolder(Path path) throws IOException {
    if (path.getFileName().toString().startsWith(".")) {
      return;
    }
    PluginFolder folder = PluginFolder.read(path);
    if (folder.jars().isEmpty()) {
      remarks.add("plugin '%s' has no jars in %s".formatted(folder.name(), path));
      return;
    }
    PluginFolder earlier = folders.putIfAbsent(folder.name(), folder);
    if (earlier != null) {
      throw new DiscoveryException(
          "two plugins are named '%s': %s and %s; rename one"
              .formatted(folder.name(), earlier.path(), path));
    }
  }

  private PluginClassLoader loader(PluginFolder folder, List<String> children) {
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
      PluginFolder parentFolder = folders.get(folder.parent());
      if (parentFolder == null) {
        throw new DiscoveryException(
            "its parent plugin '%s' is not installed; plugins: %s"
                .formatted(folder.parent(), String.join(", ", folders.keySet())));
      }
      parent = loader(parentFolder, children);
    }
    PluginClassLoader loader = new PluginClassLoader(folder, application, parent, all);
    loaders.put(folder.name(), loader);
    remarkOnCopies(folder, loader);
    remarkOnServices(folder, loader);
    return loader;
  }

  private void remarkOnServices(PluginFolder folder, PluginClassLoader loader) {
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
  private boolean jarsAreReadable(PluginFolder folder) {
    boolean areReadable = true;
    for (Path file : folder.jars()) {
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

  private void remarkOnCopies(PluginFolder folder, PluginClassLoader loader) {
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
