package dev.kvant.runtime.discovery;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Loads the classes of one plugin. From the application it takes only what the two must share:
 * {@code api}, {@code spi}, {@code numerics}, the kit for backends, jakarta.validation, JSpecify
 * and SLF4J, and the engines with native libraries that the application has: Java loads a native
 * library for one class loader only. All else is the plugin's own, or its parent plugin's, so that
 * plugins and application may use different versions of one library.
 *
 * <p>A parent plugin goes first: a type that both carry must exist once, or it is two types.
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

  private final ClassLoader application;
  private final @Nullable PluginClassLoader parentPlugin;

  /** What the names of classes start with that come from the application if it has them. */
  private final List<String> shared = new ArrayList<>(COMMON);

  PluginClassLoader(
      String name,
      List<URL> jars,
      ClassLoader application,
      @Nullable PluginClassLoader parentPlugin) {
    super("plugin " + name, jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    this.application = application;
    this.parentPlugin = parentPlugin;
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
    if (parentPlugin != null) {
      try {
        return parentPlugin.loadClass(name);
      } catch (ClassNotFoundException e) {
        return findClass(name);
      }
    }
    try {
      return getPlatformClassLoader().loadClass(name);
    } catch (ClassNotFoundException e) {
      return findClass(name);
    }
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
