package dev.kvant.runtime.discovery;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Loads the classes of one plugin. From the application it takes only what the two must share:
 * {@code api}, {@code spi}, {@code numerics}, the kit for backends, jakarta.validation, JSpecify
 * and SLF4J, and the engines with native libraries that the application has: Java loads a native
 * library for one class loader only. All else is the plugin's own, or its parent plugin's, so that
 * plugins and application may use different versions of one library.
 *
 * <p>Of a class that plugin and parent both have, the parent's is used if the parent shares it,
 * since a type that the two exchange must exist once. A parent shares its jars with a provider, its
 * engines, and the packages that its {@code plugin.properties} names. Of any other library a plugin
 * uses its own version.
 */
final class PluginClassLoader extends URLClassLoader {

  /** Come from the application or not at all. */
  private static final List<String> CONTRACT = List.of("dev.kvant.api.", "dev.kvant.spi.");

  /** Come from the application if it has them. */
  private static final List<String> COMMON =
      List.of(
          "dev.kvant.numerics.",
          "dev.kvant.kit.",
          "jakarta.validation.",
          "org.jspecify.",
          "org.slf4j.");

  /**
   * What has a native library.
   *
   * @param packages what its classes' names start with
   * @param mark the class whose presence says that an application has all of it
   */
  private record Engine(String packages, String mark) {

    boolean isIn(ClassLoader application) {
      return application.getResource(mark.replace('.', '/') + ".class") != null;
    }
  }

  private static final List<Engine> ENGINES =
      List.of(
          new Engine("ai.djl.", "ai.djl.pytorch.engine.PtEngine"),
          new Engine("ai.onnxruntime.", "ai.onnxruntime.OrtEnvironment"));

  static {
    ClassLoader.registerAsParallelCapable();
  }

  private final PluginFolder folder;
  private final ClassLoader application;
  private final @Nullable PluginClassLoader parentPlugin;
  private final Collection<PluginFolder> all;

  /** What the names of classes start with that come from the application if it has them. */
  private final List<String> shared = new ArrayList<>(COMMON);

  /** The jars with a provider; null until the first plugin on top of this asks. */
  private @Nullable Set<String> providerJars;

  /**
   * @param folder the plugin
   * @param application has the classes that plugins share with the application
   * @param parentPlugin the plugin whose classes it sees, or null if there is none
   * @param all the plugins, this one among them
   */
  PluginClassLoader(
      PluginFolder folder,
      ClassLoader application,
      @Nullable PluginClassLoader parentPlugin,
      Collection<PluginFolder> all) {
    super("plugin " + folder.name(), folder.urls(), ClassLoader.getPlatformClassLoader());
    this.folder = folder;
    this.application = application;
    this.parentPlugin = parentPlugin;
    this.all = all;
    ENGINES.stream()
        .filter(engine -> engine.isIn(application))
        .forEach(engine -> shared.add(engine.packages()));
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null) {
        loaded = find(name);
      }
      if (resolve) {
        resolveClass(loaded);
      }
      return loaded;
    }
  }

  private Class<?> find(String name) throws ClassNotFoundException {
    if (CONTRACT.stream().anyMatch(name::startsWith)) {
      return application.loadClass(name);
    }
    if (shared.stream().anyMatch(name::startsWith)) {
      try {
        return application.loadClass(name);
      } catch (ClassNotFoundException e) {
        return findElsewhere(name);
      }
    }
    return findElsewhere(name);
  }

  private Class<?> findElsewhere(String name) throws ClassNotFoundException {
    try {
      return getPlatformClassLoader().loadClass(name);
    } catch (ClassNotFoundException e) {
      return comesFromParent(classFile(name)) && parentPlugin != null
          ? parentPlugin.loadClass(name)
          : findClass(name);
    }
  }

  /** Whether the parent has a file that this plugin lacks, or shares it. */
  private boolean comesFromParent(String file) {
    return parentPlugin != null && (findResource(file) == null || parentPlugin.shares(file));
  }

  /**
   * Whether plugins on top of this use its copy of a class file, or its parent's, and not theirs.
   */
  boolean shares(String file) {
    URL own = findResource(file);
    if (own == null) {
      return parentPlugin != null && parentPlugin.shares(file);
    }
    String name = file.replace('/', '.');
    return ENGINES.stream().anyMatch(engine -> name.startsWith(engine.packages()))
        || folder.sharedPackages().stream().anyMatch(shares -> name.startsWith(shares + "."))
        || providerJars().contains(Location.ofResource(own, file));
  }

  private synchronized Set<String> providerJars() {
    Set<String> known = providerJars;
    if (known == null) {
      known = new HashSet<>();
      for (Class<?> service : PluginFolders.SERVICES) {
        String file = ServiceFiles.name(service);
        try {
          for (URL found : Collections.list(findResources(file))) {
            known.add(Location.ofResource(found, file));
          }
        } catch (IOException e) {
          throw new UncheckedIOException(
              "the jars in %s cannot be read".formatted(folder.path()), e);
        }
      }
      providerJars = known;
    }
    return known;
  }

  /** The name of the plugin. */
  String plugin() {
    return folder.name();
  }

  /** What to do about a class that this plugin does not see; null if nothing is known to help. */
  @Nullable String remedyForMissing(String className) {
    String file = classFile(className);
    return all.stream()
        .filter(other -> !other.name().equals(folder.name()) && other.has(file))
        .findFirst()
        .map(
            other ->
                "plugin '%s' has it: write parent=%s into %s"
                    .formatted(
                        other.name(), other.name(), folder.path().resolve(PluginFolder.PROPERTIES)))
        .orElse(null);
  }

  private static String classFile(String className) {
    return className.replace('.', '/') + ".class";
  }

  @Override
  public @Nullable URL getResource(String name) {
    URL own = findResource(name);
    if (own != null) {
      return own;
    }
    return parentPlugin != null
        ? parentPlugin.getResource(name)
        : getPlatformClassLoader().getResource(name);
  }

  @Override
  public Enumeration<URL> getResources(String name) throws IOException {
    List<URL> resources = new ArrayList<>(Collections.list(findResources(name)));
    ClassLoader next = parentPlugin != null ? parentPlugin : getPlatformClassLoader();
    resources.addAll(Collections.list(next.getResources(name)));
    return Collections.enumeration(resources);
  }
}
