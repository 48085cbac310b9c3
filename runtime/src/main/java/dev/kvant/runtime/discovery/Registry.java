package dev.kvant.runtime.discovery;

import dev.kvant.api.DiscoveryException;
import dev.kvant.api.Internal;
import dev.kvant.runtime.discovery.InstalledProvider.Service;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReaderProvider;
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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All providers that can be reached: those given as instances, those on the class loaders, those in
 * plugin folders. Nothing is looked for before it is asked for. Every provider that it hands out
 * stands behind a {@link ProviderCall}.
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
  private final List<DataReaderProvider> givenReaders;

  private @Nullable Catalogs catalogs;
  private boolean closed;

  /** Everything that discovery holds once it has started. */
  private record Catalogs(
      PluginFolders plugins,
      ServiceCatalog<QuantizationBackend> backends,
      ServiceCatalog<ModelFormat> formats,
      ServiceCatalog<ModelRunnerProvider> runners,
      ServiceCatalog<ModelSource> sources,
      ServiceCatalog<DataReaderProvider> readers) {

    List<ServiceCatalog<?>> all() {
      return List.of(backends, formats, runners, sources, readers);
    }
  }

  /**
   * @param applicationLoaders where to look for providers, in this order
   * @param pluginRoots folders of plugin folders
   * @param backends instances to use beside what is found
   * @param formats instances to use beside what is found
   * @param runners instances to use beside what is found
   * @param sources instances to use beside what is found
   * @param readers instances to use beside what is found
   */
  public Registry(
      List<ClassLoader> applicationLoaders,
      List<Path> pluginRoots,
      List<QuantizationBackend> backends,
      List<ModelFormat> formats,
      List<ModelRunnerProvider> runners,
      List<ModelSource> sources,
      List<DataReaderProvider> readers) {
    this.applicationLoaders = List.copyOf(applicationLoaders);
    this.pluginRoots = List.copyOf(pluginRoots);
    this.givenBackends = List.copyOf(backends);
    this.givenFormats = List.copyOf(formats);
    this.givenRunners = List.copyOf(runners);
    this.givenSources = List.copyOf(sources);
    this.givenReaders = List.copyOf(readers);
  }

  /**
   * The backend of that id, in any case, or else the one of that alias; empty if there is none.
   *
   * @throws DiscoveryException if two backends claim the name
   */
  public Optional<QuantizationBackend> backend(String name) {
    String wanted = name.strip().toLowerCase(Locale.ROOT);
    List<Provided<QuantizationBackend>> claimants = new NamedBackends(backends()).of(wanted);
    if (claimants.size() > 1) {
      throw new DiscoveryException(conflict("backends", wanted, claimants));
    }
    return claimants.stream().findFirst().map(Provided::instance);
  }

  /** The backends. */
  public List<Provided<QuantizationBackend>> backends() {
    return catalogs().backends().provided();
  }

  /** The model formats. */
  public List<Provided<ModelFormat>> formats() {
    return catalogs().formats().provided();
  }

  /**
   * Refuses the id of a model format that another format claims too.
   *
   * @throws DiscoveryException if two formats claim it
   */
  public void requireOneFormat(String id) {
    requireOne("model formats", id, formatsById());
  }

  private Map<String, List<Provided<?>>> formatsById() {
    return byName(formats(), ModelFormat::ids);
  }

  /**
   * What runs models of that format; empty if there is nothing.
   *
   * @throws DiscoveryException if two runners claim the format
   */
  public Optional<ModelRunnerProvider> runner(String format) {
    requireOne("runners", format, runnersByFormat());
    return runners().stream()
        .map(Provided::instance)
        .filter(runner -> runner.formats().contains(format))
        .findFirst();
  }

  private List<Provided<ModelRunnerProvider>> runners() {
    return catalogs().runners().provided();
  }

  private Map<String, List<Provided<?>>> runnersByFormat() {
    return byName(runners(), ModelRunnerProvider::formats);
  }

  /** What knows the files behind models that other frameworks have loaded. */
  public List<Provided<ModelSource>> sources() {
    return catalogs().sources().provided();
  }

  /** What reads data. */
  public List<Provided<DataReaderProvider>> readers() {
    return catalogs().readers().provided();
  }

  private Map<String, List<Provided<?>>> readersById() {
    return byName(readers(), reader -> List.of(reader.descriptor().id()));
  }

  /** Providers of every service that could not be used. */
  public List<BrokenProvider> broken() {
    List<BrokenProvider> broken = new ArrayList<>(catalogs().plugins().broken());
    catalogs().all().forEach(catalog -> broken.addAll(catalog.broken()));
    return broken;
  }

  /** The plugins, without making any of their providers. */
  public List<InstalledPlugin> plugins() {
    return catalogs().plugins().installed();
  }

  /** What is installed. */
  public Installation installation() {
    NamedBackends named = new NamedBackends(backends());
    List<String> conflicts = new ArrayList<>();
    named.conflicts().forEach((name, claim) -> conflicts.add(conflict("backends", name, claim)));
    addConflicts("model formats", formatsById(), conflicts);
    addConflicts("runners", runnersByFormat(), conflicts);
    addConflicts("data readers", readersById(), conflicts);
    List<String> remarks = new ArrayList<>(catalogs().plugins().remarks());
    remarks.addAll(catalogs().plugins().remarksOnCopies());
    remarks.addAll(named.remarks());
    return new Installation(
        backends().stream()
            .map(Registry::installed)
            .sorted(Comparator.comparing(backend -> backend.descriptor().id()))
            .toList(),
        providers(),
        plugins(),
        broken(),
        conflicts,
        remarks);
  }

  private static InstalledBackend installed(Provided<QuantizationBackend> backend) {
    return new InstalledBackend(
        backend.instance().descriptor(),
        backend.type().getName(),
        backend.location(),
        backend.instance().availability());
  }

  private List<InstalledProvider> providers() {
    List<InstalledProvider> providers = new ArrayList<>();
    for (Provided<QuantizationBackend> backend : backends()) {
      List<String> id = List.of(backend.instance().descriptor().id());
      providers.add(installed(Service.BACKEND, id, backend, backend.instance().availability()));
    }
    for (Provided<ModelFormat> format : formats()) {
      providers.add(
          installed(Service.FORMAT, format.instance().ids(), format, Availability.available()));
    }
    for (Provided<ModelRunnerProvider> runner : runners()) {
      List<String> formats = runner.instance().formats();
      providers.add(installed(Service.RUNNER, formats, runner, runner.instance().availability()));
    }
    for (Provided<ModelSource> source : sources()) {
      providers.add(installed(Service.SOURCE, List.of(), source, Availability.available()));
    }
    for (Provided<DataReaderProvider> reader : readers()) {
      List<String> id = List.of(reader.instance().descriptor().id());
      providers.add(installed(Service.DATA_READER, id, reader, reader.instance().availability()));
    }
    providers.sort(
        Comparator.comparing(InstalledProvider::service)
            .thenComparing(provider -> Objects.requireNonNullElse(provider.plugin(), ""))
            .thenComparing(InstalledProvider::provider));
    return providers;
  }

  private static InstalledProvider installed(
      Service service, List<String> ids, Provided<?> provided, Availability availability) {
    return new InstalledProvider(
        service,
        ids,
        provided.type().getName(),
        provided.location(),
        provided.plugin(),
        availability);
  }

  private static <S> Map<String, List<Provided<?>>> byName(
      List<Provided<S>> provided, Function<S, List<String>> names) {
    Map<String, List<Provided<?>>> byName = new TreeMap<>();
    for (Provided<S> one : provided) {
      for (String name : Set.copyOf(names.apply(one.instance()))) {
        byName.computeIfAbsent(name, key -> new ArrayList<>()).add(one);
      }
    }
    return byName;
  }

  private static void requireOne(String kind, String name, Map<String, List<Provided<?>>> byName) {
    List<Provided<?>> claimants = byName.getOrDefault(name, List.of());
    if (claimants.size() > 1) {
      throw new DiscoveryException(conflict(kind, name, claimants));
    }
  }

  private static void addConflicts(
      String kind, Map<String, List<Provided<?>>> byName, List<String> conflicts) {
    byName.forEach(
        (name, claimants) -> {
          if (claimants.size() > 1) {
            conflicts.add(conflict(kind, name, claimants));
          }
        });
  }

  /** Says that several providers claim one name. */
  public static String conflict(String kind, String name, List<? extends Provided<?>> claimants) {
    return "%d %s claim '%s': %s; remove all but one"
        .formatted(
            claimants.size(),
            kind,
            name,
            claimants.stream().map(Provided::toString).collect(Collectors.joining(" and ")));
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
        new ServiceCatalog<>(
            QuantizationBackend.class, GuardedBackend::new, givenBackends, loaders),
        new ServiceCatalog<>(ModelFormat.class, GuardedFormat::new, givenFormats, loaders),
        new ServiceCatalog<>(
            ModelRunnerProvider.class, GuardedRunnerProvider::new, givenRunners, loaders),
        new ServiceCatalog<>(ModelSource.class, GuardedSource::new, givenSources, loaders),
        new ServiceCatalog<>(
            DataReaderProvider.class, GuardedReaderProvider::new, givenReaders, loaders));
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
