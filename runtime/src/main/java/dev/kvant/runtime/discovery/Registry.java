package dev.kvant.runtime.discovery;

import dev.kvant.api.DiscoveryException;
import dev.kvant.api.Internal;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All providers that can be reached: those given as instances, those on the class loaders, those in
 * plugin folders. Nothing is looked for before it is asked for.
 *
 * @since 0.1.0
 */
@Internal
public final class Registry implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Registry.class);

  private final List<? extends ClassLoader> applicationLoaders;
  private final List<Path> pluginRoots;
  private final List<QuantizationBackend> givenBackends;
  private final List<ModelFormat> givenFormats;
  private final List<ModelRunnerProvider> givenRunners;
  private final List<ModelSource> givenSources;

  private @Nullable Catalogs catalogs;
  private boolean closed;

  /** Everything that discovery holds once it has started. */
  private record Catalogs(
      PluginFolders plugins,
      ServiceCatalog<QuantizationBackend> backends,
      ServiceCatalog<ModelFormat> formats,
      ServiceCatalog<ModelRunnerProvider> runners,
      ServiceCatalog<ModelSource> sources) {

    List<ServiceCatalog<?>> all() {
      return List.of(backends, formats, runners, sources);
    }
  }

  /** A backend whose descriptor could be read. */
  private record Described(Provided<QuantizationBackend> provided, BackendDescriptor descriptor) {}

  private record Backends(List<Described> described, List<BrokenProvider> broken) {}

  /**
   * @param applicationLoaders where to look for providers, in this order
   * @param pluginRoots folders of plugin folders
   * @param backends instances to use beside what is found
   * @param formats instances to use beside what is found
   * @param runners instances to use beside what is found
   * @param sources instances to use beside what is found
   */
  public Registry(
      List<ClassLoader> applicationLoaders,
      List<Path> pluginRoots,
      List<QuantizationBackend> backends,
      List<ModelFormat> formats,
      List<ModelRunnerProvider> runners,
      List<ModelSource> sources) {
    this.applicationLoaders = List.copyOf(applicationLoaders);
    this.pluginRoots = List.copyOf(pluginRoots);
    this.givenBackends = List.copyOf(backends);
    this.givenFormats = List.copyOf(formats);
    this.givenRunners = List.copyOf(runners);
    this.givenSources = List.copyOf(sources);
  }

  /**
   * The backend of that id or alias, in any case; empty if there is none.
   *
   * @throws DiscoveryException if two backends claim the name
   */
  public Optional<QuantizationBackend> backend(String name) {
    String wanted = name.strip().toLowerCase(Locale.ROOT);
    List<Described> claimants =
        readBackends().described().stream()
            .filter(backend -> names(backend.descriptor()).anyMatch(wanted::equals))
            .toList();
    if (claimants.size() > 1) {
      throw new DiscoveryException(
          conflict("backends", wanted, claimants.stream().map(Described::provided).toList()));
    }
    return claimants.stream().findFirst().map(backend -> backend.provided().instance());
  }

  /** The model formats. */
  public List<Provided<ModelFormat>> formats() {
    return catalogs().formats().provided();
  }

  /**
   * What runs models of that format; empty if there is nothing.
   *
   * @throws DiscoveryException if two runners claim the format
   */
  public Optional<ModelRunnerProvider> runner(String format) {
    List<Provided<ModelRunnerProvider>> claimants =
        catalogs().runners().provided().stream()
            .filter(runner -> runner.instance().formats().contains(format))
            .toList();
    if (claimants.size() > 1) {
      throw new DiscoveryException(conflict("runners", format, claimants));
    }
    return claimants.stream().findFirst().map(Provided::instance);
  }

  /** What knows the files behind models that other frameworks have loaded. */
  public List<Provided<ModelSource>> sources() {
    return catalogs().sources().provided();
  }

  /** Providers of every service that could not be used. */
  public List<BrokenProvider> broken() {
    List<BrokenProvider> broken = new ArrayList<>(catalogs().plugins().broken());
    catalogs().all().forEach(catalog -> broken.addAll(catalog.broken()));
    broken.addAll(readBackends().broken());
    return broken;
  }

  /** What is installed. */
  public Installation installation() {
    Backends backends = readBackends();
    return new Installation(
        backends.described().stream()
            .map(Registry::installed)
            .sorted(Comparator.comparing(backend -> backend.descriptor().id()))
            .toList(),
        broken(),
        conflicts(backends),
        catalogs().plugins().remarks());
  }

  private static InstalledBackend installed(Described backend) {
    Provided<QuantizationBackend> provided = backend.provided();
    return new InstalledBackend(
        backend.descriptor(),
        provided.instance().getClass().getName(),
        provided.location(),
        availability(provided.instance()));
  }

  /** Whether a backend can work here; one that fails to tell cannot. */
  public static Availability availability(QuantizationBackend backend) {
    try {
      return backend.availability();
    } catch (RuntimeException | LinkageError e) {
      return Availability.unavailable(ServiceCatalog.reason(e));
    }
  }

  private static List<String> conflicts(Backends backends) {
    Map<String, List<Provided<?>>> claims = new TreeMap<>();
    for (Described backend : backends.described()) {
      names(backend.descriptor())
          .forEach(
              name ->
                  claims.computeIfAbsent(name, key -> new ArrayList<>()).add(backend.provided()));
    }
    return claims.entrySet().stream()
        .filter(claim -> claim.getValue().size() > 1)
        .map(claim -> conflict("backends", claim.getKey(), claim.getValue()))
        .toList();
  }

  /** Tells that several providers claim one name. */
  public static String conflict(String kind, String name, List<? extends Provided<?>> claimants) {
    return "%d %s claim '%s': %s; remove all but one"
        .formatted(
            claimants.size(),
            kind,
            name,
            claimants.stream().map(Provided::toString).collect(Collectors.joining(" and ")));
  }

  private static Stream<String> names(BackendDescriptor descriptor) {
    return Stream.concat(Stream.of(descriptor.id()), descriptor.aliases().stream())
        .map(name -> name.toLowerCase(Locale.ROOT))
        .distinct();
  }

  private Backends readBackends() {
    List<Described> described = new ArrayList<>();
    List<BrokenProvider> broken = new ArrayList<>();
    for (Provided<QuantizationBackend> provided : catalogs().backends().provided()) {
      try {
        described.add(new Described(provided, provided.instance().descriptor()));
      } catch (RuntimeException | LinkageError e) {
        broken.add(
            new BrokenProvider(
                QuantizationBackend.class.getSimpleName(),
                provided.instance().getClass().getName(),
                provided.location(),
                "it cannot describe itself: " + ServiceCatalog.reason(e),
                e));
      }
    }
    return new Backends(described, broken);
  }

  private synchronized Catalogs catalogs() {
    if (closed) {
      throw new IllegalStateException("this Kvant is closed");
    }
    Catalogs known = catalogs;
    if (known == null) {
      known = open();
      catalogs = known;
    }
    return known;
  }

  private Catalogs open() {
    PluginFolders plugins =
        PluginFolders.open(pluginRoots, QuantizationBackend.class.getClassLoader());
    List<ClassLoader> loaders = new ArrayList<>(applicationLoaders);
    loaders.addAll(plugins.loaders());
    plugins.broken().forEach(broken -> log.warn("A plugin cannot be used. {}", broken));
    plugins.remarks().forEach(log::warn);
    return new Catalogs(
        plugins,
        new ServiceCatalog<>(QuantizationBackend.class, givenBackends, loaders),
        new ServiceCatalog<>(ModelFormat.class, givenFormats, loaders),
        new ServiceCatalog<>(ModelRunnerProvider.class, givenRunners, loaders),
        new ServiceCatalog<>(ModelSource.class, givenSources, loaders));
  }

  /** Closes the class loaders of the plugins. A second call does nothing. */
  @Override
  public synchronized void close() {
    closed = true;
    Catalogs known = catalogs;
    catalogs = null;
    if (known == null) {
      return;
    }
    for (PluginClassLoader loader : known.plugins().loaders()) {
      try {
        loader.close();
      } catch (IOException e) {
        log.warn("The jars of {} could not be closed", loader.getName(), e);
      }
    }
  }
}
